"""Files made to hurt: every one is answered within a bounded time and with a bounded number of problems."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.pipeline import limits
from c8s.pipeline.parse import parse_document, parse_pipeline
from c8s.pipeline.problems import render_json, render_text

SETTINGS = settings(deadline=None, max_examples=50)

ANSWER_SECONDS = 10.0
"""Far above what any of these takes, far below what they took without bounds."""

HEAD = "version: v1alpha1\nname: demo\n"
STEP = "steps: [{name: a, image: b, commands: [c]}]\n"


def many(count: int, text: str) -> str:
    return ",".join(text.replace("#", str(number)) for number in range(count))


HOSTILE = {
    "alias_bomb": "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n",
    "merge_bomb": HEAD + "<<: [&x {a: 1}, *x]\n",
    "deep_flow": "[" * limits.FILE_BYTES,
    "deep_block": "".join(" " * depth + "a:\n" for depth in range(1000)),
    "deep_keys": "? " * 10_000 + "a",
    "huge_key": HEAD + "x" * 900_000 + ": 1\n",
    "huge_explicit_key": HEAD + "? " + "x" * 900_000 + "\n: 1\n",
    "many_keys": HEAD + "".join(f"k{number}: 1\n" for number in range(9_000)),
    "one_key_often": HEAD + "x: 1\n" * 9_000,
    "huge_name": f"version: v1alpha1\nname: a{'-' * 900_000}\n" + STEP,
    "huge_number": f"version: v1alpha1\nname: demo\ntimeout: {'9' * 900_000}\n" + STEP,
    "huge_glob": HEAD + f"on: {{push: {{branches: ['{'*a' * 400_000}']}}}}\n" + STEP,
    "many_unknown_steps": HEAD
    + f"steps: [{{name: a, dependsOn: [{many(9_000, 'step-#-that-is-not-there')}]}}]\n",
    "many_wrong_steps": HEAD + f"steps: [{many(6_000, '{name: s#, imagge: 1}')}]\n",
    "many_circles": HEAD + f"steps: [{many(1_500, '{name: s#, dependsOn: [s0, s1, s2, s1499]}')}]\n",
    "long_circle": HEAD
    + f"steps: [{','.join(f'{{name: s{n}, dependsOn: [s{n + 1}]}}' for n in range(2_500))}]\n",
    "wide_matrix": HEAD + f"matrix: {{dimensions: {{{many(16, 'd#: [1,2,3,4,5,6,7,8,9]')}}}}}\n" + STEP,
    "many_excludes": HEAD
    + f"matrix: {{dimensions: {{a: [{many(32, '#')}], b: [{many(32, '#')}]}},\n"
    + f"  exclude: [{many(250, '{a: x#}')}]}}\n"
    + STEP,
    "many_dimensions": HEAD + f"matrix: {{dimensions: {{{many(6_000, 'd#: [1]')}}}}}\n" + STEP,
    "many_openings": HEAD + f"steps: [{{name: a, image: b, commands: ['{'${{' * 300_000}']}}]\n",
    "many_expressions": HEAD + f"steps: [{{name: a, image: b, commands: ['{'${{ x }}' * 100_000}']}}]\n",
    "many_secret_files": HEAD
    + f"steps: [{{name: a, secrets: [{many(4_000, '{secretRef: s, key: k, file: f#}')}]}}]\n",
    "many_outputs": HEAD
    + "steps: [{name: s0, image: b, commands: [c], outputs: [v]},"
    + many(1_500, "{name: t#, image: '${{ steps.s0.outputs.v }}', commands: [c], dependsOn: [t1]}")
    + ", {name: t1}]\n",
    "many_conditions": HEAD
    + f"steps: [{many(1_500, '{name: t#, dependsOn: [t1], conditional: {if: steps.t1.a}}')}]\n",
    "many_keys_of_caches": HEAD
    + "steps: [{name: a, cache: ["
    + many(3_000, "{key: '${{ checksum(#) }}', paths: [x]}")
    + "]}]\n",
    "many_matrices": HEAD
    + f"steps: [{many(1_200, '{name: s#, image: b, matrix: {dimensions: {a: [1]}}, env: {X: y}}')}]\n",
    "long_secret_path": HEAD
    + f"steps: [{{name: a, secrets: [{{secretRef: s, key: k, file: {'a/' * 400_000}a}}]}}]\n",
}


@pytest.mark.parametrize("situation", HOSTILE)
def test_hostile_file_is_answered_soon(situation: str) -> None:
    started = time.monotonic()
    result = parse_pipeline(HOSTILE[situation], ".c8s.yaml")
    said = render_text(result.problems)
    assert time.monotonic() - started < ANSWER_SECONDS
    assert result.pipeline is None
    assert 1 <= len(result.problems) <= limits.PROBLEMS
    assert len(said) < 400 * len(result.problems)


def nest(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = {"checkout": [value]}
    return value


@pytest.mark.parametrize("document", [nest(50_000), {"steps": [1] * 30_000}, [], None, 3, "text"])
def test_hostile_document_is_answered(document: Any) -> None:
    result = parse_document(document, "PipelineConfig")
    assert result.pipeline is None
    assert all(problem.line is None for problem in result.problems)


def test_message_cannot_command_the_terminal() -> None:
    text = HEAD + 'steps: [{name: "\\e[31m\\n::error::", image: b, commands: [c], "\\e]0;x\\a": 1}]\n'
    result = parse_pipeline(text, "\x1b[2J.yaml")
    assert [problem.rule for problem in result.problems] == ["bad-name", "unknown-key"]
    said = render_text(result.problems)
    assert "\x1b" not in said
    assert "\x07" not in said
    assert len(said.splitlines()) == 4
    assert "\x1b" not in render_json(result.problems)


GOOD_FILE = Path(__file__).parent / "cases" / "ok" / "everything.yaml"
WORDS = st.sampled_from(
    [*sorted(set(re.findall(r"[\w.*/-]+", GOOD_FILE.read_text("utf-8")))), "${{ branch }}", "${{", "[a", ""]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.floats(), st.text(max_size=3), WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=30,
)


@SETTINGS
@given(st.dictionaries(WORDS, VALUES, max_size=8))
def test_any_document_is_answered(document: dict[str, Any]) -> None:
    result = parse_document(document, "PipelineConfig")
    assert (result.pipeline is None) == any(problem.severity == "error" for problem in result.problems)


@SETTINGS
@given(st.data())
def test_any_damage_is_answered(data: st.DataObject) -> None:
    text = HEAD + "matrix: {dimensions: {a: [1, 2]}}\n" + STEP.replace("[c]", '["echo ${{ matrix.a }}"]')
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    damaged = text[:start] + data.draw(st.text("[]{}:,-\"'&*!\n\t ax", max_size=4)) + text[end:]
    lines = damaged.count("\n") + 2
    for problem in parse_pipeline(damaged, "file").problems:
        assert problem.line is not None
        assert 1 <= problem.line <= lines
