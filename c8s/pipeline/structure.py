"""Whether a document has the shape that the JSON Schema describes.

What the schema marks with `x-c8s-rule` is left to the check of that name, which speaks better.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from c8s.pipeline import limits
from c8s.pipeline.problems import Finding, Path, quote
from c8s.pipeline.settling import list_types, pipeline_schema, resolve_reference
from c8s.pipeline.source import Source
from c8s.pipeline.suggestions import suggest

_ERRORS = 4 * limits.PROBLEMS
"""Errors of the validator that are looked at; several may be one problem."""

_SAYS_NOTHING = ("$schema", "$id", "$defs", "title", "description")
"""Keywords of the schema that the validator would only pass over; examples and rules are used in messages."""

_CALLED_ELSEWHERE = {
    "depends_on": "dependsOn",
    "environment": "env",
    "if": "conditional",
    "always": "finally",
    "inputs": "params",
    "parameters": "params",
    "on_failure": "finally",
    "sidecars": "services",
    "strategy": "matrix",
    "tests": "artifacts",
    "needs": "dependsOn",
    "run": "commands",
    "script": "commands",
    "variables": "env",
    "when": "conditional",
}
"""What other systems call a key of ours."""

_THINGS = {
    "approval": "the approval",
    "artifacts": "artifacts",
    "cache": "this cache",
    "concurrency": "concurrency",
    "matrix": "the matrix",
    "params": "this parameter",
    "persistent": "the volume",
    "ready": "ready",
    "reports": "reports",
    "retry": "retry",
    "schedule": "this schedule",
    "secrets": "this secret",
    "services": "this service",
    "workspace": "the workspace",
}
"""What people call the thing at a key, or in the list at a key."""

_TYPE_WORDS = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "object": "a mapping (key: value)",
    "array": "a list",
}


def find_structure_problems(source: Source) -> Iterator[tuple[str, Finding]]:
    """Yield rule and finding for all that does not fit the schema. `source` has its texts settled."""
    errors = list(itertools.islice(_validator().iter_errors(source.data), _ERRORS))
    mistyped = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
    told: set[tuple[Path, str]] = set()
    for error in errors:
        path = tuple(error.absolute_path)
        keyword = str(error.validator)
        if (path in mistyped and keyword != "type") or (path, keyword) in told:
            continue
        told.add((path, keyword))
        yield from _explain(error, path)


@lru_cache(maxsize=1)
def _validator() -> Draft202012Validator:
    return Draft202012Validator(_narrow(pipeline_schema()))


def _narrow(schema: Any) -> Any:
    """Return `schema` for settled data, `string` instead of any choice that has it, with nothing slow in it.

    References are put in and what does not validate is left out: that takes a third off the time of a check.
    """
    if not isinstance(schema, dict):
        return schema
    schema = {key: value for key, value in resolve_reference(schema).items() if key not in _SAYS_NOTHING}
    if "string" in list_types(schema):
        schema["type"] = "string"
    if "properties" in schema:
        schema["properties"] = {name: _narrow(field) for name, field in schema["properties"].items()}
    return schema | {key: _narrow(schema[key]) for key in ("items", "additionalProperties") if key in schema}


def _explain(error: ValidationError, path: Path) -> Iterator[tuple[str, Finding]]:
    if isinstance(error.schema, dict) and "x-c8s-rule" in error.schema and error.validator != "type":
        return
    explain = _EXPLANATIONS.get(str(error.validator), _explain_size)
    yield from explain(error, path)


def _explain_unknown_keys(error: ValidationError, path: Path) -> Iterator[tuple[str, Finding]]:
    schema: Any = error.schema
    allowed = schema["properties"]
    for key in _as_mapping(error.instance):
        if key not in allowed:
            message, hint = f"unknown key {quote(key)}", _hint_key(key, allowed)
            yield "unknown-key", Finding((*path, key), message, hint, at_key=True)


def _hint_key(key: str, allowed: Collection[str]) -> str:
    ours = _CALLED_ELSEWHERE.get(key, "")
    return f"did you mean {quote(ours)}?" if ours in allowed else suggest(key, allowed)


def _explain_missing_keys(error: ValidationError, path: Path) -> Iterator[tuple[str, Finding]]:
    required: Any = error.validator_value
    instance = _as_mapping(error.instance)
    for key in required:
        if key not in instance:
            what = _name_thing(path, instance)
            yield "missing-key", Finding(path, f"{what} has no {quote(key)}", _example(error, key))


def _as_mapping(instance: Any) -> dict[str, Any]:
    """Narrow the type: the keywords that ask about keys apply to mappings only."""
    return dict(instance)


def _name_thing(path: Path, instance: Any) -> str:
    """Return what people call the thing at `path`."""
    if not path:
        return "the pipeline"
    if path[0] in ("steps", "finally") and len(path) == 2:
        name = instance.get("name")
        return f"step {quote(name)}" if isinstance(name, str) else "this step"
    return _THINGS.get(str(path[-1] if isinstance(path[-1], str) else path[-2]), "this")


def _example(error: ValidationError, key: str) -> str:
    schema: Any = error.schema
    examples = schema["properties"][key].get("examples", ())
    return f"for example {key}: {examples[0]}" if examples and isinstance(examples[0], str) else ""


def _explain_type(error: ValidationError, path: Path) -> Iterator[tuple[str, Finding]]:
    types = list_types({"type": error.validator_value})
    wanted = " or ".join(_TYPE_WORDS[name] for name in types)
    what = f"{quote(path[-1])} must be" if path and isinstance(path[-1], str) else "this must be"
    if not path:
        what = "the file must be"
    yield (
        "wrong-type",
        Finding(path, f"{what} {wanted}, not {_describe(error.instance)}", _hint_type(error.instance, types)),
    )


def _hint_type(instance: Any, types: list[str]) -> str:
    if instance is None and "object" in types:
        return "an empty value is null; write {} for all defaults"
    if instance is None and types == ["string"]:
        return 'for an empty text write ""'
    if isinstance(instance, float) and types == ["string"]:
        return "put the number in quotes; without them its last zeros are lost"
    if isinstance(instance, str) and types == ["array"]:
        return 'write a list: each entry on a line of its own, after "- "'
    return ""


def _describe(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    word = str(value).lower() if isinstance(value, bool) else str(value)
    return word if isinstance(value, (bool, int, float)) else f"the text {quote(word)}"


def _explain_choice(error: ValidationError, path: Path) -> Iterator[tuple[str, Finding]]:
    allowed: Any = error.validator_value
    hint = suggest(str(error.instance), map(str, allowed))
    yield (
        "not-one-of",
        Finding(path, f"{quote(error.instance)} is not a {quote(path[-1])} that c8s knows", hint),
    )


def _explain_size(error: ValidationError, path: Path) -> Iterator[tuple[str, Finding]]:
    what = quote(path[-1]) if path and isinstance(path[-1], str) else "this"
    limit = error.validator_value
    if limit == 1 and str(error.validator) in ("minItems", "minLength", "minProperties"):
        yield "empty-value", Finding(path, f"{what} is empty", "fill it, or take it out")
        return
    words = {
        "maxItems": f"has more than {limit} entries",
        "maxProperties": f"has more than {limit} entries",
        "maxLength": f"has more than {limit} characters",
        "minimum": f"must be {limit} or more",
        "maximum": f"must be {limit} or less",
    }
    yield "too-large", Finding(path, f"{what} {words.get(str(error.validator), 'does not fit')}")


_Explanation = Callable[[ValidationError, Path], Iterator[tuple[str, Finding]]]
_EXPLANATIONS: dict[str, _Explanation] = {
    "additionalProperties": _explain_unknown_keys,
    "required": _explain_missing_keys,
    "type": _explain_type,
    "enum": _explain_choice,
}
