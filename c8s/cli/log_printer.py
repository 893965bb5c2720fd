"""How the lines of logs look in a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from c8s.cli.terminal_text import terminal_safe

STEP_COLOURS = ("cyan", "magenta", "blue", "yellow", "green", "bright_cyan", "bright_magenta", "bright_blue")
GROUP = re.compile(r"::group::(.*)", re.DOTALL)
GROUP_END = re.compile(r"::endgroup::\s*")


class LogPrinter:
    """Prints log lines with the step's name before each, in a colour of its own."""

    def __init__(self, console: Console, *, prefix: bool, timestamps: bool = False) -> None:
        self._console = console
        self._prefix = prefix
        self._timestamps = timestamps
        self._width = 0
        self._colours: dict[str, str] = {}

    def print_line(self, step: str, time: str, container: str, text: str) -> None:
        """c8s's own lines and the checkout's are dimmed: the step's own output is what people look for.

        What begins a group becomes a heading; what ends one is left out.
        """
        bare = terminal_safe(text, colours=False)
        if container != "step":
            self._print(step, time, Text(f"{container}: {bare}", style="dim"))
        elif heading := GROUP.match(bare):
            self._print(step, time, Text(f"▸ {heading[1].strip()}", style="bold"))
        elif not GROUP_END.fullmatch(bare):
            shown = terminal_safe(text, colours=self._console.color_system is not None)
            self._print(step, time, Text.from_ansi(shown))

    def print_found(
        self, step: str, time: str, container: str, text: str, spans: Sequence[tuple[int, int]]
    ) -> None:
        """A line of a search, with what was found in it; `text` has no colours."""
        line = Text(terminal_safe(text, colours=False))
        for start, end in spans if line.plain == text else ():
            line.stylize("bold red", start, end)
        if container != "step":
            line = Text.assemble((f"{container}: ", "dim"), line)
        self._print(step, time, line)

    def _print(self, step: str, time: str, shown: Text) -> None:
        line = Text()
        if self._prefix:
            self._width = max(self._width, len(step))
            line.append(f"{step:<{self._width}} │ ", style=self._colour(step))
        if self._timestamps:
            line.append(f"{time} ", style="dim")
        self._console.print(line.append_text(shown), soft_wrap=True, highlight=False)

    def _colour(self, step: str) -> str:
        return self._colours.setdefault(step, STEP_COLOURS[len(self._colours) % len(STEP_COLOURS)])
