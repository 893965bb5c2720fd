"""`c8s validate`: says what is wrong with pipeline files, without a cluster."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from c8s.cli.errors import ExitCode, UsageError
from c8s.pipeline import limits
from c8s.pipeline.parse import ParseResult, parse_pipeline
from c8s.pipeline.problems import render_text

_DESCRIPTION = "Check pipeline files: exit code 0 means good, 1 that there are problems."
_DEFAULT_FILE = ".c8s.yaml"
_DEFAULT_FOLDER = ".c8s"


def add_parser(subparsers: Any) -> None:
    """Add the verb to what `ArgumentParser.add_subparsers` returned."""
    parser = subparsers.add_parser("validate", help="check pipeline files", description=_DESCRIPTION)
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="default: .c8s.yaml and .c8s/*.yaml; - is standard input"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how problems are shown")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the files and print what is wrong; return the exit code. Raises UsageError."""
    files = arguments.files or find_default_files(Path())
    if not files:
        raise UsageError(f"no pipeline file here: neither {_DEFAULT_FILE} nor {_DEFAULT_FOLDER}/*.yaml")
    texts = {file: read_bounded(file) for file in files}
    results = {file: parse_pipeline(text, "<stdin>" if file == "-" else file) for file, text in texts.items()}
    print(
        render_results_json(results) if arguments.format == "json" else render_results_text(results), end=""
    )
    return ExitCode.GOOD if all(result.pipeline for result in results.values()) else ExitCode.FAILED


def find_default_files(folder: Path) -> list[str]:
    """Return the pipeline files of a repository whose root is `folder`."""
    found = [folder / _DEFAULT_FILE, *sorted((folder / _DEFAULT_FOLDER).glob("*.yaml"))]
    return [str(path) for path in found if path.is_file()]


def read_bounded(file: str) -> bytes:
    """Return the bytes of `file`, at most one more than a pipeline may have. Raises UsageError."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(limits.FILE_BYTES + 1)
        with Path(file).open("rb") as stream:
            return stream.read(limits.FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}") from error


def render_results_text(results: dict[str, ParseResult]) -> str:
    """Return the problems of all files and a last line that sums them up."""
    problems = [problem for result in results.values() for problem in result.problems]
    errors = sum(problem.severity == "error" for problem in problems)
    counts = [_count(errors, "error"), _count(len(problems) - errors, "warning")]
    summary = f"{_count(len(results), 'file')} checked: {' and '.join(filter(None, counts)) or 'no problems'}"
    return f"{render_text(problems)}{summary}\n"


def render_results_json(results: dict[str, ParseResult]) -> str:
    """Return `{"files": [{file, valid, problems}]}`."""
    files: Sequence[dict[str, Any]] = [
        {"file": file, "valid": result.pipeline is not None, "problems": _as_dicts(result.problems)}
        for file, result in results.items()
    ]
    return json.dumps({"files": files}, ensure_ascii=False, indent=2) + "\n"


def _as_dicts(problems: Iterable[Any]) -> list[dict[str, Any]]:
    return [asdict(problem) for problem in problems]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}" if number else ""
