"""Callers who are to be put through, until the carrier asks to whom."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from agentvoice.events import Transfer

_MOST: Final = 1000


class Transfers:
    """To whom which call is put through. A carrier that never asks is forgotten when a thousand others came later."""

    def __init__(self) -> None:
        self._by_call: OrderedDict[str, Transfer] = OrderedDict()

    def put(self, call_id: str, transfer: Transfer) -> None:
        """This caller is to be put through."""
        self._by_call[call_id] = transfer
        if len(self._by_call) > _MOST:
            self._by_call.popitem(last=False)

    def of(self, call_id: str) -> Transfer | None:
        """To whom, if to anybody."""
        return self._by_call.get(call_id)
