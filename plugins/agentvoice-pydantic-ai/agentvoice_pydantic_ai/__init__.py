"""Agents of Pydantic AI, with their own tools, as language models."""

from ._model import PydanticAI as PydanticAI

__all__ = ["PydanticAI"]
