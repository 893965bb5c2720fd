"""`c8s validate`, as the command line calls it."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import pytest

from c8s.cli import validate
from c8s.cli.errors import UsageError
from c8s.pipeline import limits

GOOD = "version: v1alpha1\nname: demo\nsteps: [{name: unit, image: alpine, commands: [make]}]\n"
BAD = GOOD.replace("image", "imagge")


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    validate.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["validate", *words])
    return int(arguments.run(arguments))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".c8s").mkdir()
    return tmp_path


def test_good_default_files_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".c8s.yaml").write_text(GOOD)
    (folder / ".c8s" / "deploy.yaml").write_text(GOOD)
    assert call() == 0
    assert capsys.readouterr().out == "2 files checked: no problems\n"


def test_problems_of_all_files_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".c8s.yaml").write_text(BAD)
    (folder / ".c8s" / "deploy.yaml").write_text(GOOD + "timeout: 1m\nname: x\n")
    assert call() == 1
    assert capsys.readouterr().out == (
        '.c8s.yaml:3:9: step "unit" has no "image" [missing-key]\n'
        "  hint: for example image: python:3.12\n"
        '.c8s.yaml:3:22: unknown key "imagge" [unknown-key]\n'
        '  hint: did you mean "image"?\n'
        '.c8s/deploy.yaml:5:1: the key "name" is given twice; the first is on line 2 [duplicate-key]\n'
        "2 files checked: 3 errors\n"
    )


def test_json_holds_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "one.yaml").write_text(GOOD.replace("]}]", "], timeout: 2h}]"))
    assert call("--format", "json", "one.yaml") == 0
    warning = {
        "file": "one.yaml",
        "line": 3,
        "column": 64,
        "message": "the step may take 2h, but the whole run only 1h",
        "hint": 'give the pipeline a timeout of "2h" or more',
        "rule": "step-timeout-over-run-timeout",
        "severity": "warning",
        "path": "steps[0].timeout",
    }
    assert json.loads(capsys.readouterr().out) == {
        "files": [{"file": "one.yaml", "valid": True, "problems": [warning]}]
    }


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    assert call("-") == 1
    assert capsys.readouterr().out.startswith("<stdin>:1:1: the byte 0xFF is not UTF-8 [bad-character]\n")


def test_endless_file_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("/dev/zero") == 1
    assert f"more than {limits.FILE_BYTES} bytes [too-large]" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["missing.yaml"], ["."]])
def test_file_that_is_not_there_is_wrong_use(folder: Path, words: list[str]) -> None:
    with pytest.raises(UsageError):
        call(*words)
