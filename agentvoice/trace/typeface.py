"""How wide text is, in the typeface that the pictures are drawn with.

A subset of Inter (SIL Open Font License, `fonts/OFL.txt`) lies beside this module, so that a picture looks the same on
a machine without any font, and labels know their size before anybody draws them.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

FAMILY: Final = "Inter"
WEIGHTS: Final = {400: "Inter-Regular.ttf", 600: "Inter-SemiBold.ttf"}
_UNKNOWN_EM: Final = 0.6
"""What a character that is not in the subset is taken to be wide; wide scripts have a whole em."""


def font_file(weight: int) -> bytes:
    """Return the font itself (TrueType)."""
    return (files(__package__) / "fonts" / WEIGHTS[weight]).read_bytes()


def width(text: str, size: float, weight: int = 400) -> float:
    """Return how wide `text` is when set in `size`, in the same unit as `size`."""
    advances = _advances(weight)
    return size * sum(
        advances.get(ord(character), _UNKNOWN_EM if ord(character) < 0x1100 else 1.0) for character in text
    )


def elide(text: str, size: float, room: float, weight: int = 400) -> str:
    """Return as much of `text` as fits into `room`, with an ellipsis where it was cut; empty when nothing does."""
    if width(text, size, weight) <= room:
        return text
    for length in range(len(text) - 1, 0, -1):
        short = text[:length].rstrip() + "…"
        if width(short, size, weight) <= room:
            return short
    return ""


@cache
def _advances(weight: int) -> Mapping[int, float]:
    """Return the advance of every character in ems, from the font's own tables (OpenType: head, hhea, hmtx, cmap)."""
    font = font_file(weight)
    (count,) = struct.unpack_from(">H", font, 4)
    tables = {tag: at for tag, _, at, _ in struct.iter_unpack(">4sLLL", font[12 : 12 + 16 * count])}
    (em,) = struct.unpack_from(">H", font, tables[b"head"] + 18)
    (metrics,) = struct.unpack_from(">H", font, tables[b"hhea"] + 34)
    advance = [struct.unpack_from(">H", font, tables[b"hmtx"] + 4 * glyph)[0] / em for glyph in range(metrics)]
    glyphs = _glyphs(font, tables[b"cmap"])
    return {character: advance[min(glyph, metrics - 1)] for character, glyph in glyphs.items()}


def _glyphs(font: bytes, cmap: int) -> Mapping[int, int]:
    """Read the character map's segments (format 4)."""
    (count,) = struct.unpack_from(">H", font, cmap + 2)
    offsets = [struct.unpack_from(">L", font, cmap + 8 + 8 * number)[0] for number in range(count)]
    at = next(cmap + offset for offset in offsets if struct.unpack_from(">H", font, cmap + offset) == (4,))
    (double,) = struct.unpack_from(">H", font, at + 6)
    ends, starts, deltas, ranges = (
        struct.unpack_from(f">{double // 2}H", font, at + 14 + double * number + (2 if number else 0))
        for number in range(4)
    )
    found: dict[int, int] = {}
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        for character in range(start, min(end, 0xFFFE) + 1):
            glyph = character
            if ranges[number]:
                slot = at + 16 + 3 * double + 2 * number + ranges[number] + 2 * (character - start)
                (glyph,) = struct.unpack_from(">H", font, slot)
            found[character] = (glyph + deltas[number]) & 0xFFFF
    return found
