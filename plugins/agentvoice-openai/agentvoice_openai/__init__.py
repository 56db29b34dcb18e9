"""Language models and recognisers at any endpoint that speaks OpenAI's dialect."""

from ._model import OpenAI as OpenAI
from ._recognizer import OpenAIRecognizer as OpenAIRecognizer

__all__ = ["OpenAI", "OpenAIRecognizer"]
