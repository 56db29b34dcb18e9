"""Which web pages may use a speech server. Browsers say where a page is from (`Origin`, RFC 6454); programs do not.

Who has to show a key may come from anywhere: a page without it gets nowhere. Without a key only pages of this machine
may come, or any website that somebody here looks at could use the server; and those that are named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from agentvoice.errors import UsageError

_LOCAL: Final = r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?"
_ORIGIN: Final = re.compile(r"null|[a-z][a-z0-9+.-]*://[^\s/?#]+", re.IGNORECASE)
ANY: Final = "*"


class Origins:
    """The rule, as a pattern that origins have to match."""

    def __init__(self, named: Sequence[str] = (), *, everyone: bool) -> None:
        """Take the origins that are named: `https://example.com`, `null` for a file, or `*`.

        Raises:
            UsageError: that is no origin; the message says what one looks like.
        """
        for origin in named:
            if origin != ANY and not _ORIGIN.fullmatch(origin):
                raise UsageError(f"'{origin}' is no origin; write it as https://example.com, null for files, or *")
        anyone = everyone or ANY in named
        self.pattern: Final = ".*" if anyone else "|".join([_LOCAL, *map(re.escape, named)])

    def admits(self, origin: str | None) -> bool:
        """Return whether a page may come in. `None` is no page, but a program."""
        return origin is None or re.fullmatch(self.pattern, origin) is not None
