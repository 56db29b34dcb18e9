"""Noise taken out of the caller's line by RNNoise: one library for the process, 33 kB of state for each call."""

from ._cleaner import RNNoise as RNNoise
from ._weights import ASSETS as ASSETS

__all__ = ["ASSETS", "RNNoise"]
