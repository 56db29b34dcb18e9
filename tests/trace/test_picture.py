"""Without the package that draws."""

import sys

import pytest

from agentvoice.errors import UsageError
from agentvoice.trace.picture import rasterise


def test_a_missing_rasteriser_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)

    with pytest.raises(UsageError, match=r"pip install 'agentvoice\[picture\]'"):
        rasterise("<svg/>")
