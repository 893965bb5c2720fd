"""The script of a step, run by the shell it is meant for."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.local.node.expansion import expand
from c8s.objects.expansion import escape_expansion
from c8s.objects.script import ANNOUNCED_CHARACTERS, build_command, build_script


def run(*commands: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-ec", build_script(commands)], capture_output=True, text=True, check=False
    )


def test_commands_run_in_order_announced() -> None:
    assert run("echo one", "echo two").stdout == "$ echo one\none\n$ echo two\ntwo\n"


def test_first_failure_stops_with_its_code() -> None:
    finished = run("echo one", "exit 7", "echo never")
    assert (finished.returncode, finished.stdout) == (7, "$ echo one\none\n$ exit 7\n")


def test_directory_and_variables_carry_over() -> None:
    assert run("cd /", "x=1", "echo $PWD$x").stdout.endswith("$ echo $PWD$x\n/1\n")


@pytest.mark.parametrize("command", ["echo 'it''s'", 'echo "%s\\n" `true`', "echo $(echo hi)", "true # '"])
def test_announcement_shows_the_command_itself(command: str) -> None:
    assert run(command).stdout.startswith(f"$ {command}\n")


def test_command_of_several_lines_stays_whole() -> None:
    assert run("cat <<END\nhello\nEND", "echo done").stdout.endswith("hello\n$ echo done\ndone\n")


def test_long_command_is_announced_by_its_beginning() -> None:
    first = run(f": {'x' * 5000}").stdout.splitlines()[0]
    assert first == f"$ : {'x' * (ANNOUNCED_CHARACTERS - 2)}…"


def test_command_survives_kubernetes() -> None:
    command = build_command(["echo $$ $(date) $(HOME) $${x} $"])
    values = {"HOME": "/replaced", "date": "replaced"}
    assert [expand(part, values) for part in command][2] == build_script(["echo $$ $(date) $(HOME) $${x} $"])


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="$()A{}x", max_size=12))
def test_escaped_text_is_expanded_to_itself(text: str) -> None:
    assert expand(escape_expansion(text), {"A": "replaced", "x": "replaced", "": "replaced"}) == text
