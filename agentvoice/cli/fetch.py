"""`agentvoice fetch`."""

from __future__ import annotations

from collections.abc import Sequence

from anyio import to_thread
from rich.console import Console

from agentvoice.assets import Asset, ensure, installed_assets, megabytes
from agentvoice.errors import PluginNotFound

from .begin import begin
from .running import run


def fetch(names: Sequence[str]) -> None:
    """Fetch what the plugins of these names need, or all of them; what is in the cache already takes no time."""
    begin()
    found = installed_assets()
    if unknown := [name for name in names if name not in found]:
        raise PluginNotFound(
            f"no installed plugin named '{unknown[0]}' has anything to fetch (there is: {', '.join(found) or 'none'})"
        )
    assets = list(dict.fromkeys(asset for name in names or found for asset in found[name]))

    async def main() -> None:
        for asset in assets:
            await to_thread.run_sync(ensure, asset)

    run(main)
    Console(highlight=False, soft_wrap=True).print(_told(assets))


def _told(assets: Sequence[Asset]) -> str:
    if not assets:
        return "the installed plugins need no models"
    folder = ensure(assets[0]).parent
    size = megabytes(sum(file.size for asset in assets for file in asset.files))
    return f"all there: {', '.join(asset.name for asset in assets)} ({size} MB in {folder})"
