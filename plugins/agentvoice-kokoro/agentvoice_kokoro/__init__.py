"""Kokoro's voices for agentvoice's speech server."""

from ._engine import KokoroEngine as KokoroEngine
from ._weights import KOKORO as KOKORO

__all__ = ["KOKORO", "KokoroEngine"]
