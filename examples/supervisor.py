"""An agent with a supervisor: a person who sees the calls, cuts in, and has the agent say something.

AGENTVOICE_SUPERVISOR__TOKEN=secret agentvoice serve examples/supervisor.py:Trainee

    curl -H 'Authorization: Bearer secret' localhost:8080/calls
    curl -H 'Authorization: Bearer secret' -X POST localhost:8080/calls/CALL/interrupt
    curl -H 'Authorization: Bearer secret' localhost:8080/calls/CALL/say \
        -d '{"text": "My colleague tells me that we can offer you a refund.", "interrupt": true}'
"""

from agentvoice import Agent, TurnClosed


class Trainee(Agent):
    greeting = "Good morning, this is the help desk. What can I do for you?"
    instructions = "You are new at a help desk. Be helpful, and answer in one or two short sentences."

    async def on_interrupted(self, turn: TurnClosed) -> None:
        self.call.note(unsaid=turn.unheard)  # whoever reads the report sees what the supervisor, or the caller, cut off
