"""Pico's voices for agentvoice's speech server."""

from ._engine import PicoEngine as PicoEngine

__all__ = ["PicoEngine"]
