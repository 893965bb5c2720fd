"""Reading values out of JSON that someone else wrote. What is absent is empty; a wrong type is an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from c8s.run.errors import MalformedObject
from c8s.run.times import parse_time

Json = Mapping[str, Any]

REASON_CHARACTERS = 100
INTEGER_LIMIT = 2**31
YEARS = range(1970, 9000)
"""Near the ends of the calendar no limit of time can be added."""

_NOTHING: Json = {}


def read_mapping(container: Json, key: str) -> Json:
    """Return the object under `key`."""
    value = container.get(key)
    if value is None:
        return _NOTHING
    if not isinstance(value, dict):
        raise MalformedObject(f"{key} is not an object")
    return value


def read_mappings(container: Json, key: str) -> list[Json]:
    """Return the list of objects under `key`."""
    value = container.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise MalformedObject(f"{key} is not a list of objects")
    return value


def read_text(container: Json, key: str) -> str:
    """Return the text under `key`."""
    value = container.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedObject(f"{key} is not text")
    return value


def read_reason(container: Json, key: str) -> str:
    """Return the word for programs under `key`."""
    text = read_text(container, key)
    if len(text) > REASON_CHARACTERS:
        raise MalformedObject(f"{key} has more than {REASON_CHARACTERS} characters")
    return text


def read_time(container: Json, key: str) -> str:
    """Return the time under `key`, as text that `parse_time` reads."""
    text = read_text(container, key)
    if text:
        try:
            year = parse_time(text).year
        except ValueError as error:
            raise MalformedObject(f"{key} is not a time") from error
        if year not in YEARS:
            raise MalformedObject(f"{key} is a time in the year {year}")
    return text


def read_integer(container: Json, key: str) -> int | None:
    """Return the whole number under `key`, which fits the int32 of the resources."""
    value = container.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= INTEGER_LIMIT:
        raise MalformedObject(f"{key} is not a whole number, or too large a one")
    return value


def read_flag(container: Json, key: str) -> bool:
    """Return the true or false under `key`."""
    value = container.get(key)
    if value is not None and not isinstance(value, bool):
        raise MalformedObject(f"{key} is neither true nor false")
    return bool(value)


def read_texts(container: Json, key: str) -> Mapping[str, str]:
    """Return the object of texts under `key`."""
    values = read_mapping(container, key)
    if not all(isinstance(value, str) for value in values.values()):
        raise MalformedObject(f"{key} is not an object of texts")
    return values


def read_list(container: Json, key: str) -> tuple[str, ...] | None:
    """Return the list of texts under `key`, None when absent. Raises MalformedObject."""
    texts = container.get(key)
    if texts is None:
        return None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise MalformedObject(f"{key} is not a list of texts")
    return tuple(texts)


def parse_object(text: str, name: str) -> Json:
    """Return the JSON object in `text`; `name` says in the error where it came from."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedObject(f"{name} is not JSON") from error
    if not isinstance(value, dict):
        raise MalformedObject(f"{name} is not a JSON object")
    return value
