"""Days and times of day. Days are understood by dateparser."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Final

from agentvoice.errors import UsageError

from .correction import corrected
from .numbers import in_digits

_CLOCK: Final = re.compile(
    r"\b(?:(?P<before>\d{1,2}|quarter|half)\s+(?:minutes\s+)?(?P<side>past|after|to|before)\s+)?"
    r"(?P<hour>\d{1,2})(?:(?:[:.h]|\s+)(?P<minute>[0-5]\d|5))?(?:\s*o'?clock)?\s*(?P<half>[ap]\.?\s*m\b|noon|midnight)?",
)


def day(today: date) -> Callable[[str], date]:
    """Return what understands a day from `today` on: "tomorrow", "next Friday", "the third of December"."""

    def understand(words: str) -> date:
        try:
            from dateparser.search import search_dates  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise UsageError("dateparser is not installed; try: pip install 'agentvoice[answers]'") from error
        settings = {
            "RELATIVE_BASE": datetime.combine(today, time(12)),
            "PREFER_DATES_FROM": "future",
        }
        said = re.sub(r"\b(?:the|on|this)\s+", "", in_digits(corrected(words)), flags=re.IGNORECASE)
        found = search_dates(said, languages=["en"], settings=settings) or []
        days: list[date] = [when.date() for text, when in found if not text.strip().isdigit() and when.date() >= today]
        if not days:
            raise ValueError("Which day do you mean, for example tomorrow, or next Friday?")
        return days[-1]

    return understand


def time_of_day(opens: time, closes: time) -> Callable[[str], time]:
    """Return what understands a time from `opens` to `closes`. "Half past seven" is the one of the two that fits."""

    def understand(words: str) -> time:
        said = in_digits(corrected(words).lower().replace("’", "'"))
        said = re.sub(r"\bnoon\b", "12 noon", said) if "12" not in said else said
        for match in reversed(list(_CLOCK.finditer(said))):
            for candidate in _readings(match):
                if opens <= candidate <= closes:
                    return candidate
        raise ValueError(f"I need a time between {_told(opens)} and {_told(closes)}.")

    return understand


def _readings(match: re.Match[str]) -> list[time]:
    """Return the times that words may stand for, the likelier first."""
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["before"]:
        shift = {"quarter": 15, "half": 30}.get(match["before"]) or int(match["before"])
        total = hour * 60 + (shift if match["side"] in {"past", "after"} else -shift)
        hour, minute = divmod(total % (24 * 60), 60)
    half = re.sub(r"[.\s]", "", match["half"] or "")
    if half in {"pm", "noon"}:
        hours = [hour % 12 + 12]
    elif half in {"am", "midnight"}:
        hours = [hour % 12]
    else:
        hours = [hour] if hour > 12 else [hour % 12 + 12, hour % 12]
    return [time(hour, minute) for hour in hours if hour < 24]


def _told(when: time) -> str:
    return f"{when.hour}:{when.minute:02d}" if when.minute else f"{when.hour} o'clock"
