"""`c8s logs` against the real API over HTTP."""

from __future__ import annotations

import re

import pytest

from c8s.cli.main import main
from tests.adapters.test_api_client import NOW, Served, served
from tests.api.example_runs import create_run, step

__all__ = ["served"]

UNIT = ["Checked out", "one", "::group::Tests", "2 failed", "::endgroup::"]
LINT = ["no problems", "0 failed"]


@pytest.fixture
def run(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setenv("C8S_API_URL", served.url)
    monkeypatch.setenv("C8S_TOKEN", "token-a")
    steps = [step("unit", "Failed", NOW, -5, -1), step("lint", "Succeeded", NOW, -5, -1)]
    create_run(served.cluster, "default", "web-1", "Add a", NOW, "Failed", steps, start=-5)
    for name, lines in (("unit", UNIT), ("lint", LINT)):
        served.logbuffer.logs["default", "web-1", name] = [
            f"2026-01-02T03:04:05.00000000{number}Z step {line}" for number, line in enumerate(lines)
        ]
    return served


def logs(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str], str]:
    code = main(["logs", "web-1", "-n", "default", *words])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


def test_failed_shows_only_failed_steps(run: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert logs(capsys, "--failed") == (0, ["Checked out", "one", "▸ Tests", "2 failed"], "")


def test_grep_asks_the_search(run: Served, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, err = logs(capsys, "--grep", "[0-9] failed")

    assert (code, lines, err) == (0, ["unit │ 2 failed", "lint │ 0 failed"], "")
    assert logs(capsys, "--grep", "failed", "--failed")[1] == ["2 failed"]
    assert logs(capsys, "--grep", "FAILED")[:2] == (0, [])


def test_grep_tells_what_it_could_not_read(run: Served, capsys: pytest.CaptureFixture[str]) -> None:
    del run.logbuffer.logs["default", "web-1", "lint"]

    code, lines, err = logs(capsys, "--grep", "failed", "--step", "unit", "--step", "lint")

    assert (code, lines) == (0, ["unit │ 2 failed"])
    assert err == "the log of lint could not be read to its end\n"


def test_grep_filters_what_is_followed(run: Served, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _ = logs(capsys, "--follow", "--step", "unit", "--grep", "fail|one")

    assert (code, lines[:3]) == (1, ["one", "2 failed", ""])


def test_tail_and_since_are_asked_of_the_api(run: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert logs(capsys, "--tail", "2", "--since", "2026-01-02T03:04:05Z", "--step", "lint")[0] == 0
    assert logs(capsys, "-f", "--tail", "3", "--step", "lint")[0] == 1

    assert [(wanted.tail, wanted.since_ns > 0) for wanted in run.logbuffer.wanted] == [(2, True), (3, False)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--grep", "("], "not a regular expression of RE2: missing ): ("),
        (["--failed", "-f"], "--failed and --follow don't go together"),
        (["--since", "yesterday"], "since must be a time"),
        (["--step", "none"], "the run has no step none"),
    ],
)
def test_wrong_use_is_told(
    run: Served, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    code, lines, err = logs(capsys, *words)

    assert (code, lines) == (2, [])
    assert message in err


def test_negative_tail_is_wrong_use(run: Served, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        logs(capsys, "--tail", "-1")

    assert raised.value.code == 2


@pytest.fixture
def tried_again(run: Served) -> Served:
    steps = [
        step("flaky", "Failed", NOW, -5, -1, log="flaky.2", attempts=2),
        step("lint", "Succeeded", NOW, -5, -1),
    ]
    create_run(run.cluster, "default", "web-2", "Add b", NOW, "Failed", steps, start=-5)
    for name in ("flaky", "flaky.2", "lint"):
        run.logbuffer.logs["default", "web-2", name] = [f"2026-01-02T03:04:05.000000000Z step {name}!"]
    return run


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), ["flaky │ flaky!", "flaky.2 │ flaky.2!", "lint │ lint!"]),
        (("--step", "flaky"), ["flaky │ flaky!", "flaky.2 │ flaky.2!"]),
        (("--step", "flaky.2"), ["flaky.2!"]),
        (("--failed",), ["flaky.2!"]),
        (("--grep", "!", "--step", "flaky.2"), ["flaky.2!"]),
    ],
)
def test_every_attempt_is_shown(
    tried_again: Served, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], expected: list[str]
) -> None:
    assert main(["logs", "web-2", "-n", "default", *words]) == 0
    assert [re.sub(r" +│", " │", line) for line in capsys.readouterr().out.splitlines()] == expected


def test_attempts_are_followed(tried_again: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["logs", "web-2", "-n", "default", "-f"]) == 1
    lines = [re.sub(r" +│", " │", line) for line in capsys.readouterr().out.splitlines()]
    assert {"flaky │ flaky!", "flaky.2 │ flaky.2!", "lint │ lint!"} <= set(lines)
