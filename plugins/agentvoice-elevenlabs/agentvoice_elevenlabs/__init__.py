"""ElevenLabs' voices, over their multi-context WebSocket."""

from ._synthesizer import ElevenLabs as ElevenLabs

__all__ = ["ElevenLabs"]
