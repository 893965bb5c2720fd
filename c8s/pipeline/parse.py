"""The way in: text or document to a checked pipeline and all that is wrong with it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from c8s.pipeline import limits
from c8s.pipeline.build import build_pipeline
from c8s.pipeline.checks import CHECKS, name_rule
from c8s.pipeline.decoding import ReadError
from c8s.pipeline.model import Pipeline
from c8s.pipeline.problems import Problem
from c8s.pipeline.reader import read_yaml
from c8s.pipeline.settling import settle_texts
from c8s.pipeline.source import Source
from c8s.pipeline.structure import find_structure_problems


@dataclass(frozen=True, slots=True)
class ParseResult:
    """`pipeline` is None exactly where a problem is an error; warnings come with a pipeline."""

    pipeline: Pipeline | None
    problems: tuple[Problem, ...]


def parse_pipeline(text: bytes | str, file: str) -> ParseResult:
    """Return the pipeline that the YAML `text` holds, and every problem, sorted by its place. Never raises.

    `file` is the name that problems bear; nothing is opened.
    """
    try:
        source, problems = read_yaml(text, file)
    except ReadError as error:
        return ParseResult(None, (error.problem,))
    return _check(source, problems)


def parse_document(document: dict[str, Any], origin: str) -> ParseResult:
    """Return the pipeline in `document`, such as the spec of a PipelineConfig plus `name`. Never raises.

    `version` may be left out: the resource's own says it. `origin` is the file in problems; they bear a
    path such as `steps[2].image` instead of a line.
    """
    if not _is_bounded(document):
        message = f"it has more than {limits.NODES} values, or more than {limits.DEPTH} levels"
        return ParseResult(None, (Problem(origin, None, None, message, "", "too-large", "error", ""),))
    data = {"version": "v1alpha1", **document} if isinstance(document, dict) else document
    return _check(Source(origin, data), ())


def _is_bounded(document: object) -> bool:
    """Say whether `document` keeps to the bounds that the reader sets for a text."""
    count, level = 0, [document]
    for _ in range(limits.DEPTH + 1):
        count += len(level)
        containers = [value for value in level if isinstance(value, dict | list)]
        if not containers or count > limits.NODES:
            return count <= limits.NODES
        level = [
            item for value in containers for item in (value.values() if isinstance(value, dict) else value)
        ]
    return False


def _check(source: Source, problems: tuple[Problem, ...]) -> ParseResult:
    settled = settle_texts(source)
    found = {*problems, *_find_problems(settled)}
    has_error = any(problem.severity == "error" for problem in found)
    return ParseResult(None if has_error else build_pipeline(settled.data), _order(found))


def _order(found: set[Problem]) -> tuple[Problem, ...]:
    """Return the problems by their place; where there are too many, warnings are left out first."""
    told = sorted(found, key=lambda problem: (problem.severity, *_place(problem)))[: limits.PROBLEMS]
    return tuple(sorted(told, key=_place))


def _place(problem: Problem) -> tuple[int, int, str, str, str]:
    return (problem.line or 0, problem.column or 0, problem.path, problem.rule, problem.message)


def _find_problems(source: Source) -> Iterator[Problem]:
    for rule, finding in itertools.islice(find_structure_problems(source), limits.PROBLEMS):
        yield source.report(finding, rule)
    for check in CHECKS:
        for finding in itertools.islice(check(source), limits.PROBLEMS):
            yield source.report(finding, name_rule(check))
