"""The reference names every reason and every setting that the code has, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from c8s.adapters.git_errors import GitError
from c8s.run import reasons
from logbuffer.refusals import REASONS as REFUSALS

REPOSITORY = Path(__file__).parents[2]
REFERENCE = REPOSITORY / "docs" / "reference"
# Words of the language, and of `_find_named` in hooks/resolving/request.py.
OTHER_REASONS = {
    "ConditionFalse",
    "DependencyFailed",
    "RepositoryConnectionNotFound",
    "PipelineConfigNotFound",
}
SETTINGS_FILES = {
    "api": ["api/settings.py", "c8s/web/store_settings.py"],
    "hooks": ["hooks/settings.py"],
    "logbuffer": ["logbuffer/settings.py", "c8s/web/store_settings.py"],
    "webhook": ["webhook/settings.py"],
}
_RAISED = re.compile(r'(?:Unresolved|NotYet)\(\s*"(\w+)"')
_ROW = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|", re.MULTILINE)


def names_in_rows(page: str) -> set[str]:
    """Every name in the first column of a page's tables."""
    return {name for cell in _ROW.findall(page) for name in re.findall(r"\w+", cell)}


def test_every_reason_is_explained() -> None:
    own = {value for name, value in vars(reasons).items() if name.isupper()}
    git = {kind.__name__ for kind in GitError.__subclasses__()}
    hooks = "".join(path.read_text() for path in (REPOSITORY / "hooks").rglob("*.py"))

    page = (REFERENCE / "reasons.md").read_text()

    assert names_in_rows(page) == own | git | set(_RAISED.findall(hooks)) | OTHER_REASONS | REFUSALS


def test_every_variable_of_a_step_is_told() -> None:
    code = (REPOSITORY / "c8s" / "objects" / "environment.py").read_text()
    set_by_c8s = set(re.findall(r'"([A-Z][A-Z0-9_]*)"(?=:|\])', code)) - {"HOME"}
    table = (REFERENCE / "pipeline.md").read_text().partition("## Variables")[2].partition("## Fields")[0]

    assert names_in_rows(table) == set_by_c8s
    assert "`MATRIX_<DIMENSION>`" in table
    assert "`PARAM_<PARAMETER>`" in table


@pytest.mark.parametrize("service", SETTINGS_FILES)
def test_every_setting_is_documented(service: str) -> None:
    page = (REFERENCE / "data.md").read_text()
    rows = re.findall(r"^\| (`C8S_.*?) \| (.*?) \|", page, re.MULTILINE)
    documented = {
        name
        for names, services in rows
        if services == "all" or service in services.split(", ")
        for name in re.findall(r"C8S_\w+", names)
    }
    code = "".join((REPOSITORY / file).read_text() for file in SETTINGS_FILES[service])

    # Every service reads its log level by `Variables.log_level`.
    assert {*re.findall(r'"(C8S_\w+)"', code), "C8S_LOG_LEVEL"} == documented


def test_every_metric_is_told() -> None:
    files = [path for room in ("api", "logbuffer") for path in (REPOSITORY / room).glob("*.py")]
    code = "".join(path.read_text() for path in files)
    counted = {
        "c8s_api_requests_total",
        "c8s_api_request_seconds_total",
    }  # Made of a prefix by `RequestCounts`.

    own = set(re.findall(r'"(c8s_(?:api|log)_\w+)"', code)) | counted
    assert names_in_rows((REFERENCE / "metrics.md").read_text()) == own


def test_every_decision_has_a_number_of_its_own_and_is_listed() -> None:
    folder = REPOSITORY / "docs" / "decisions"
    pages = sorted(path.name for path in folder.glob("0*.md"))
    listed = re.findall(r"^- \[(\d{4})\]\((.*)\) (.*)$", (folder / "README.md").read_text(), re.MULTILINE)
    titles = [(folder / name).read_text().splitlines()[0].removeprefix("# ") for name in pages]

    assert listed == [(name[:4], name, title) for name, title in zip(pages, titles, strict=True)]
    assert len({name[:4] for name in pages}) == len(pages)
