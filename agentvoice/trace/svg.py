"""SVG, as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias
from xml.sax.saxutils import escape, quoteattr

Attribute: TypeAlias = str | float | None


def number(value: float) -> str:
    """Write a coordinate: one decimal is a tenth of a pixel."""
    return f"{round(value, 1) + 0.0:g}"


def tag(name: str, *inside: str, title: Attribute = None, **attributes: Attribute) -> str:
    """Return an element. `cls` is its class, `data_x` becomes `data-x`, `None` is left out; `title` is its tool tip."""
    names = {"cls": "class"}
    written = "".join(
        f" {names.get(key, key.replace('_', '-'))}={quoteattr(value if isinstance(value, str) else number(value))}"
        for key, value in attributes.items()
        if value is not None
    )
    body = (tag("title", escape(str(title))) if title else "") + "".join(inside)
    return f"<{name}{written}>{body}</{name}>" if body else f"<{name}{written}/>"


def text(x: float, y: float, words: str, cls: str, **attributes: Attribute) -> str:
    """Return a line of text, whose baseline is at `y`."""
    return tag("text", escape(words), cls=cls, x=x, y=y, **attributes)


def group(inside: Iterable[str], **attributes: Attribute) -> str:
    """Return a group; nothing when there is nothing in it."""
    body = "".join(inside)
    return tag("g", body, **attributes) if body else ""
