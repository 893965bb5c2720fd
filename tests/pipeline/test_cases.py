"""Every file in `cases/err` with what is said of it, every file in `cases/ok` with the document it becomes.

`pytest tests/pipeline --rewrite` writes what is expected anew; read the difference before you commit it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from c8s.pipeline.canonical import to_document
from c8s.pipeline.checks import CHECKS, name_rule
from c8s.pipeline.parse import parse_document, parse_pipeline
from c8s.pipeline.problems import render_text

CASES = Path(__file__).parent / "cases"
BAD_FILES = sorted((CASES / "err").glob("*.yaml"))
GOOD_FILES = sorted((CASES / "ok").glob("*.yaml"))


def compare(actual: str, path: Path, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--rewrite"):
        path.write_text(actual, "utf-8")
    assert actual == path.read_text("utf-8")


@pytest.mark.parametrize("path", BAD_FILES, ids=lambda path: path.stem)
def test_problems_read_as_expected(path: Path, request: pytest.FixtureRequest) -> None:
    result = parse_pipeline(path.read_bytes(), ".c8s.yaml")
    compare(render_text(result.problems), path.with_suffix(".txt"), request)
    assert path.stem in {problem.rule for problem in result.problems}
    assert (result.pipeline is None) == any(problem.severity == "error" for problem in result.problems)


@pytest.mark.parametrize("path", GOOD_FILES, ids=lambda path: path.stem)
def test_good_files_become_documents(path: Path, request: pytest.FixtureRequest) -> None:
    result = parse_pipeline(path.read_bytes(), ".c8s.yaml")
    assert result.problems == ()
    assert result.pipeline is not None
    document = to_document(result.pipeline)
    compare(json.dumps(document, ensure_ascii=False, indent=2) + "\n", path.with_suffix(".json"), request)
    assert parse_document(document, "frozen").pipeline == result.pipeline


def test_every_check_has_a_case() -> None:
    assert {name_rule(check) for check in CHECKS} <= {path.stem for path in BAD_FILES}


def test_every_check_file_is_used() -> None:
    folder = Path(__file__).parents[2] / "c8s" / "pipeline" / "checks"
    files = {path.stem.replace("_", "-") for path in folder.glob("*.py")} - {"--init--"}
    assert files == {name_rule(check) for check in CHECKS}
