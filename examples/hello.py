"""The smallest agent: it greets, listens, and answers by a language model.

agentvoice serve examples/hello.py:Hello
"""

from agentvoice import Agent


class Hello(Agent):
    greeting = "Hello! What can I do for you?"
    instructions = "You answer the telephone. Be friendly, and answer in one or two short sentences."
