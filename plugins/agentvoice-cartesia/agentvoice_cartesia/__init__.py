"""Cartesia's voices: the context protocol, with its authentication and its list of voices."""

from ._synthesizer import Cartesia as Cartesia

__all__ = ["Cartesia"]
