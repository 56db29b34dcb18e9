"""Your own token stream: whatever an SDK gives back is a reply as it is. Here a plain HTTP response.

ollama run qwen2.5                             # or any server that speaks OpenAI's dialect, at MODEL_URL
agentvoice serve examples/token_stream.py:Concierge
"""

import os
from contextlib import AbstractAsyncContextManager

import httpx2

from agentvoice import Agent, Turn
from agentvoice.export import openai_messages

URL = os.environ.get("MODEL_URL", "http://127.0.0.1:11434/v1") + "/chat/completions"


class Concierge(Agent):
    greeting = "Reception, good evening."
    instructions = "You are the concierge of a small hotel. Answer in one or two short sentences."
    apology = "I am sorry, could you ask me that once more?"  # where the model breaks down, or says nothing
    patience_s = 6.0

    client = httpx2.AsyncClient(timeout=30)  # shared by all calls: its connections are kept

    def reply(self, turn: Turn) -> AbstractAsyncContextManager[httpx2.Response]:
        """Ask. When the caller cuts in, the response is closed, and its connection with it."""
        body = {"model": "qwen2.5", "stream": True, "messages": openai_messages(turn.history)}
        return self.client.stream("POST", URL, json=body)
