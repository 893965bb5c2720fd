"""The shell script of a step: its commands in order, each announced, stopping at the first failure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from c8s.objects.expansion import escape_expansion

ANNOUNCED_CHARACTERS = 1000


def build_command(commands: Sequence[str]) -> list[str]:
    """Return the `command` of a step's container."""
    return ["/bin/sh", "-ec", escape_expansion(build_script(commands))]


def build_script(commands: Sequence[str]) -> str:
    """Return the script that `/bin/sh -e` runs. A long command is announced by its beginning."""
    return "".join(f"{_build_announcement(command)}\n{command}\n" for command in commands)


def _build_announcement(command: str) -> str:
    is_long = len(command) > ANNOUNCED_CHARACTERS
    shown = command[:ANNOUNCED_CHARACTERS] + "…" if is_long else command
    return f"printf '%s\\n' {shlex.quote('$ ' + shown)}"
