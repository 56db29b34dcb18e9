"""Anthropic's language models, over their Messages API."""

from ._model import Anthropic as Anthropic

__all__ = ["Anthropic"]
