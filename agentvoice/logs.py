"""Logs of the application: pretty in a terminal, JSON lines elsewhere. The library never configures them.

Lines of the standard library's loggers, such as uvicorn's, come out in the same way.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal, TextIO

import structlog
from structlog.typing import Processor

_QUIET = ("uvicorn", "websockets", "asyncio", "httpx", "httpcore", "hpack")
"""Loggers that tell of every connection at `info`; below `debug` only their warnings are wanted."""


def configure(
    *,
    level: Literal["debug", "info", "warning", "error"] = "info",
    format: Literal["auto", "pretty", "json"] = "auto",  # noqa: A002  # the name of the setting
    stream: TextIO | None = None,
) -> None:
    """Send every log line of the process to `stream` (stderr, as stdout is for results). May be called again."""
    stream = stream or sys.stderr
    pretty = format == "pretty" or (format == "auto" and stream.isatty())
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        _clock(pretty=pretty),
    ]
    last = _last(pretty=pretty, colors=stream.isatty())
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,  # loggers at the top of modules exist before this is called
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _drop_color_message, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(threshold)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING) if level != "debug" else threshold)


def _clock(*, pretty: bool) -> Processor:
    return structlog.processors.TimeStamper(fmt="%H:%M:%S.%f" if pretty else "iso", utc=not pretty)


def _last(*, pretty: bool, colors: bool) -> list[Processor]:
    """Exceptions are shown without local variables: those hold keys, and words people spoke."""
    if pretty:
        return [
            structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback),
        ]
    return [structlog.processors.format_exc_info, _what_happened_first, structlog.processors.JSONRenderer(default=str)]


def _what_happened_first(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Facts follow: people read these lines too."""
    return {name: event.pop(name) for name in ("timestamp", "level", "event") if name in event} | dict(event)


def _drop_color_message(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Each of uvicorn's messages comes twice, once with escape codes in it."""
    event.pop("color_message", None)
    return event
