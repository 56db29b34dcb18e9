"""`agentvoice call`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from agentvoice.errors import AgentVoiceError
from agentvoice.testing.caller import Caller
from agentvoice.testing.phone import PhoneCall, ring
from agentvoice.testing.script import read_script

from .begin import begin
from .running import run


def call(url: str, *, script: Path, out: Path) -> None:
    """Ring an agent, play the script, and leave the recording in `out`."""
    begin()
    caller = Caller(read_script(script))
    calls: list[PhoneCall] = []

    async def main() -> None:
        calls.append(await ring(url, caller))

    run(main)
    for made in calls:
        made.save(out)
        console = Console(highlight=False)
        for line in caller.lines:
            console.print(f"[dim]{line.start_s:7.2f} s[/]  {line.text}{' [yellow](cutting in)[/]' * line.barged_in}")
        console.print(f"{made.seconds:.1f} s, hung up by the {made.hung_up_by}: {out}/call.wav, {out}/caller.json")
    if caller.complaints:
        raise AgentVoiceError("\n".join(caller.complaints))
