"""The end of a caller's turn by Smart Turn: one model for all calls of a process, which listens to how they stopped."""

from ._smart_turn import SmartTurn as SmartTurn
from ._weights import ASSETS as ASSETS

__all__ = ["ASSETS", "SmartTurn"]
