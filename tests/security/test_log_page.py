"""Log text on the page of a step: shown as text, whatever it holds."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

STATIC = Path(__file__).parents[2] / "api" / "static"
HOSTILE_LINES = [
    "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "\x1b]52;c;aGFja2Vk\x07copied",
    "\x1b]0;title",
    "\x1bP1$r0m\x1b\\device",
    "\x9d8;;https://evil.example\x9clink",
    "\x1b[2J\x1b[1;1Hcleared",
    "\x1b[31;constructor;__proto__mred",
    "\x1b[38;5;999999999m\x1b[48;2;NaN;;mcolour",
    '<img src=x onerror="alert(1)">',
    "\u202eevil\u2066",
    "\x1b[" * 5000 + "m",
    "\x1b]" * 5000,
]
MARKUP_SINKS = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function")


def parse(lines: list[str]) -> list[list[dict[str, Any]]]:
    """What `ansi.js` makes of each line."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    code = (
        "import { readFileSync } from 'node:fs';"
        f"const source = readFileSync({json.dumps(str(STATIC / 'ansi.js'))}, 'utf8');"
        "const { parseAnsi } = await import('data:text/javascript,' + encodeURIComponent(source));"
        "const lines = JSON.parse(readFileSync(0, 'utf8'));"
        "console.log(JSON.stringify(lines.map(parseAnsi)));"
    )
    done = subprocess.run(
        [node, "--input-type=module", "--eval", code],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    pieces: list[list[dict[str, Any]]] = json.loads(done.stdout)
    return pieces


def test_hostile_line_becomes_plain_text() -> None:
    for line, pieces in zip(HOSTILE_LINES, parse(HOSTILE_LINES), strict=True):
        text = "".join(piece["text"] for piece in pieces)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text), line[:40]
        for piece in pieces:
            assert re.fullmatch(r"[a-zA-Z0-9 ]*", piece["classes"]), line[:40]


def test_markup_of_a_log_stays_text() -> None:
    (pieces,) = parse(['\x1b[31m<b onclick="x">\x1b[0m'])
    assert pieces == [{"text": '<b onclick="x">', "classes": "fg1"}]


@pytest.mark.parametrize("script", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_script_makes_no_markup_of_text(script: Path) -> None:
    assert [sink for sink in MARKUP_SINKS if sink in script.read_text()] == []
