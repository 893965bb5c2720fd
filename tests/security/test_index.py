"""docs/security.md names a test for every rule, and each of them exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "security.md").read_text()
RULES = re.findall(r"^\| (?!rule |---)(.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
SMALLEST_INDEX = 25


def test_index_is_read() -> None:
    assert len(RULES) >= SMALLEST_INDEX


@pytest.mark.parametrize(("rule", "places", "tests"), RULES, ids=[rule[:40] for rule, _, _ in RULES])
def test_rule_is_held_and_tested(rule: str, places: str, tests: str) -> None:
    for place in re.findall(r"`(.+?)`", places):
        assert (REPOSITORY / place).exists(), place
    names = re.findall(r"`(.+?)::(\w+)`", tests)
    assert names, rule
    for file, name in names:
        tree = ast.parse((REPOSITORY / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (
            f"{file}::{name}"
        )
