"""Tools: what an agent can do besides talk.

    class Receptionist(Agent):
        @tool
        async def book(self, party: int, when: datetime) -> str:
            "Book a table."

- `tool` makes one of a method or a function, `approval` one that asks a person; `Tool` and `ToolSource` are for plugins
- what becomes of one when the caller cuts in is declared (`OnInterrupt`), decided by `agentvoice.errands`, and carried
  out by `running`; `rounds` is the conversation with the model about it
"""

from agentvoice.events import OnInterrupt as OnInterrupt

from .approval import Verdict as Verdict, approval as approval
from .declaration import Tool as Tool, Toolbox as Toolbox, ToolSource as ToolSource, tool as tool

__all__ = ["OnInterrupt", "Tool", "ToolSource", "Toolbox", "Verdict", "approval", "tool"]
