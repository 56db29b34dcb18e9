"""Loggers that cost nothing until something is logged: importing structlog takes longer than all of agentvoice."""

from __future__ import annotations

from typing import Any


class Logger:
    """Stands for `structlog.get_logger(name)`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        from structlog import get_logger  # noqa: PLC0415 - late on purpose

        return getattr(get_logger(self._name), method)
