"""The shell script of a step: its commands in order, each announced, stopping at the first failure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from c8s.objects import paths
from c8s.objects.expansion import escape_expansion

ANNOUNCED_CHARACTERS = 1000


_WRAPPER = f"""\
exec 9>{paths.EXCHANGE}/running
printf . >&9
/bin/sh -ec "$1" 9>&-
code=$?
printf %s "$code" >{paths.EXCHANGE}/exit-code
exit "$code"
"""
"""The pipe is held open by this shell alone: nothing that the commands leave behind keeps `save` waiting."""


def build_command(commands: Sequence[str], *, tells_its_end: bool = False) -> list[str]:
    """Return the `command` of a step's container; `tells_its_end`: `save` waits for it beside."""
    script = escape_expansion(build_script(commands))
    return ["/bin/sh", "-c", _WRAPPER, "step", script] if tells_its_end else ["/bin/sh", "-ec", script]


def build_script(commands: Sequence[str]) -> str:
    """Return the script that `/bin/sh -e` runs. A long command is announced by its beginning."""
    return "".join(f"{_build_announcement(command)}\n{command}\n" for command in commands)


def _build_announcement(command: str) -> str:
    is_long = len(command) > ANNOUNCED_CHARACTERS
    shown = command[:ANNOUNCED_CHARACTERS] + "…" if is_long else command
    return f"printf '%s\\n' {shlex.quote('$ ' + shown)}"
