"""Log text that may be shown in a terminal: colours stay, whatever else could steer the terminal goes.

Source: ECMA-48 for the shape of control sequences; terminals also obey OSC (window title, links, clipboard),
DCS and lone C1 controls, none of which a log needs.
"""

from __future__ import annotations

import re

COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
CONTROL = re.compile(
    r"\x1b\[[0-9;:]*m"  # colours: kept
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"  # other CSI sequences
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, SOS, PM, APC up to their end
    r"|\x1b.?"  # any other escape
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # lone control characters but tab and line feed
    r"|[\u202a-\u202e\u2066-\u2069]"  # text direction overrides
)
RESET = "\x1b[0m"


def terminal_safe(text: str, *, colours: bool = True) -> str:
    """`text` without control sequences; SGR colours stay when `colours`, and are reset at the end."""
    coloured = False

    def replace(match: re.Match[str]) -> str:
        nonlocal coloured
        if not (colours and COLOUR.fullmatch(match.group())):
            return ""
        coloured = True
        return match.group()

    cleaned = CONTROL.sub(replace, text)
    return cleaned + RESET if coloured else cleaned
