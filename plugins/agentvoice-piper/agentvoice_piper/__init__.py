"""Piper's voices for agentvoice's speech server."""

from ._engine import PiperEngine as PiperEngine
from ._weights import ASSETS as ASSETS

__all__ = ["ASSETS", "PiperEngine"]
