"""agentvoice: voice agents whose turns, contexts and interruptions are first-class objects.

What people write with:

- `Agent`, and `Call`, which is what an agent sees of a conversation; `Host` takes calls for it
- `Turn`, `HeardText`, `History`: what was meant to be said, what was heard, what the model is shown
- `tool`, `approval`, `OnInterrupt`: what an agent can do besides talk, and what becomes of it when the caller cuts in
- `Fallback`, `unhurried`: several language models as one; a reply that may take its time
- `BargeIn`, `InterruptionSource`, `InterruptionController`, `Policy`, `Manners`: when the agent yields

Everything that decides is pure (`conversation`, `interruption`, `playout`, `endpointing`, `speaking`, `errands`,
`turn`): events and `now` in, commands out. Everything that waits is a thin edge (`call`, `tts.connection`, `hearing`,
`server`).
`interfaces` has the seams for plugins, `errors` the tree of what can go wrong.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .agent import Agent as Agent
    from .audio import TELEPHONE as TELEPHONE, AudioFormat as AudioFormat, Encoding as Encoding
    from .call import Call as Call
    from .commands import Evidence as Evidence, HeardText as HeardText, TurnClosed as TurnClosed, TurnState as TurnState
    from .conversation import Conversation as Conversation
    from .endpointing import Endpointing as Endpointing
    from .errors import AgentVoiceError as AgentVoiceError
    from .events import BargeIn as BargeIn, BargeInKind as BargeInKind
    from .fallback import Fallback as Fallback
    from .history import History as History
    from .host import Host as Host
    from .interfaces import Message as Message
    from .interruption import (
        InterruptionController as InterruptionController,
        InterruptionSource as InterruptionSource,
        Policy as Policy,
    )
    from .manners import Floor as Floor, Manners as Manners
    from .protection import Protected as Protected
    from .token_streams import unhurried as unhurried
    from .tools import OnInterrupt as OnInterrupt, approval as approval, tool as tool
    from .turn import Turn as Turn
    from .voicing import Voicing as Voicing

_NAMES: Final = {
    "agent": "Agent",
    "audio": "TELEPHONE AudioFormat Encoding",
    "call": "Call",
    "commands": "Evidence HeardText TurnClosed TurnState",
    "conversation": "Conversation",
    "endpointing": "Endpointing",
    "errors": "AgentVoiceError",
    "events": "BargeIn BargeInKind",
    "fallback": "Fallback",
    "history": "History",
    "host": "Host",
    "interfaces": "Message",
    "interruption": "InterruptionController InterruptionSource Policy",
    "manners": "Floor Manners",
    "protection": "Protected",
    "token_streams": "unhurried",
    "tools": "OnInterrupt approval tool",
    "turn": "Turn",
    "voicing": "Voicing",
}
_MODULES: Final = {name: module for module, names in _NAMES.items() for name in names.split()}
"""Where each name is. A module is loaded when one of its names is asked for: importing the package costs nothing."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return found


__all__ = [
    "TELEPHONE",
    "Agent",
    "AgentVoiceError",
    "AudioFormat",
    "BargeIn",
    "BargeInKind",
    "Call",
    "Conversation",
    "Encoding",
    "Endpointing",
    "Evidence",
    "Fallback",
    "Floor",
    "HeardText",
    "History",
    "Host",
    "InterruptionController",
    "InterruptionSource",
    "Manners",
    "Message",
    "OnInterrupt",
    "Policy",
    "Protected",
    "Turn",
    "TurnClosed",
    "TurnState",
    "Voicing",
    "approval",
    "tool",
    "unhurried",
]
