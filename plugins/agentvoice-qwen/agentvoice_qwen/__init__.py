"""Qwen, a small language model, in the process."""

from ._model import Qwen as Qwen
from ._weights import ASSETS as ASSETS

__all__ = ["ASSETS", "Qwen"]
