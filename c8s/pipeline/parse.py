"""The way in: text or document to a checked pipeline and all that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from c8s.pipeline import limits
from c8s.pipeline.build import build_pipeline
from c8s.pipeline.checks import CHECKS, name_rule
from c8s.pipeline.model import Pipeline
from c8s.pipeline.problems import Problem
from c8s.pipeline.reader import ReadError, read_yaml
from c8s.pipeline.source import Source
from c8s.pipeline.structure import find_structure_problems, settle_texts


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
    data = {"version": "v1alpha1", **document} if isinstance(document, dict) else document
    return _check(Source(origin, data), ())


def _check(source: Source, problems: tuple[Problem, ...]) -> ParseResult:
    settled = settle_texts(source)
    found = sorted({*problems, *_find_problems(settled)}, key=_sort_key)
    if any(problem.severity == "error" for problem in found):
        return ParseResult(None, tuple(found[: limits.PROBLEMS]))
    return ParseResult(build_pipeline(settled.data), tuple(found[: limits.PROBLEMS]))


def _find_problems(source: Source) -> Iterator[Problem]:
    for rule, finding in find_structure_problems(source):
        yield source.report(finding, rule)
    for check in CHECKS:
        for finding in check(source):
            yield source.report(finding, name_rule(check))


def _sort_key(problem: Problem) -> tuple[bool, int, int, str, str, str]:
    place = (problem.line or 0, problem.column or 0)
    return (
        problem.severity == "warning" and not problem.line,
        *place,
        problem.path,
        problem.rule,
        problem.message,
    )
