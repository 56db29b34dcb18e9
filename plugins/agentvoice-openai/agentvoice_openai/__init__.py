"""Language models at any endpoint that speaks OpenAI's Chat Completions."""

from ._model import OpenAI as OpenAI

__all__ = ["OpenAI"]
