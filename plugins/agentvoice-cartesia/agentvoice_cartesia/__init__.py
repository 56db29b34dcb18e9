"""Cartesia's voices, over the context protocol, and its recognition, by segments and by turns."""

from ._recognizers import CartesiaListener as CartesiaListener, CartesiaTurns as CartesiaTurns
from ._synthesizer import Cartesia as Cartesia

__all__ = ["Cartesia", "CartesiaListener", "CartesiaTurns"]
