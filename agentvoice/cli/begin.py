"""What commands begin with: settings read, logs set up, and somebody told when a model has to be fetched."""

from __future__ import annotations

from typing import Any

from agentvoice import assets, logs
from agentvoice.settings import Settings, read_settings

from .progress import Told


def begin(**groups: dict[str, Any]) -> Settings:
    """Read the settings, and set up the process as they say.

    What was given on the command line wins over both the environment and `.env`; `None` was not given.
    """
    given = {name: {key: value for key, value in group.items() if value is not None} for name, group in groups.items()}
    settings = read_settings({name: group for name, group in given.items() if group})
    logs.configure(level=settings.log.level, format=settings.log.format)
    assets.configure(cache=settings.cache_dir, tell=Told())
    return settings
