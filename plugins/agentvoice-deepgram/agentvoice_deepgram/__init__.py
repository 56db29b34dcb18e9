"""Deepgram's recognisers: Nova, which understands segments, and Flux, which knows turns."""

from ._recognizers import Deepgram as Deepgram, DeepgramFlux as DeepgramFlux

__all__ = ["Deepgram", "DeepgramFlux"]
