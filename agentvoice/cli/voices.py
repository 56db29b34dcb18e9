"""`agentvoice voices`."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
from rich.console import Console
from rich.table import Table

from agentvoice.errors import PluginNotFound, UsageError
from agentvoice.interfaces import HasVoices, Voice
from agentvoice.plugins import installed, load
from agentvoice.settings import read_settings
from agentvoice.voicing import Voicing


def voices(name: str | None, *, language: str | None) -> None:
    """List what a plugin can speak with: a hosted provider's voices, or an engine's.

    Raises:
        UsageError: no such plugin is installed, or it does not tell.
        ProviderError: the provider refuses, or does not answer.
    """
    settings = read_settings()
    found = _voices(name or settings.tts.plugin or settings.engine)
    table = Table("id", "language", "name", "description", box=None, pad_edge=False)
    for voice in found:
        if language is None or voice.language.lower().startswith(language.lower()):
            table.add_row(voice.id, voice.language, voice.name, voice.description)
    Console().print(table)


def _voices(name: str) -> Sequence[Voice]:
    if name in installed("engine"):
        voices: Sequence[Voice] = load("engine", name)().voices
        return voices
    if name not in installed("synthesizer"):
        there = ", ".join(sorted({*installed("engine"), *installed("synthesizer")})) or "none"
        raise PluginNotFound(f"no plugin named '{name}' has voices (installed: {there})")
    synthesizer = load("synthesizer", name)(voicing=Voicing("any"))  # which one is what is asked
    if not isinstance(synthesizer, HasVoices):
        raise UsageError(f"the synthesizer '{name}' does not tell which voices there are; look at the provider's site")
    return anyio.run(synthesizer.voices)
