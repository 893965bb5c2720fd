from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from c8s.local.metacontroller.errors import HookFailed, MetacontrollerWouldCrash, TooManyRequests
from c8s.local.metacontroller.hook_answers import (
    CompositeAnswer,
    DecoratorAnswer,
    HookAnswer,
    read_composite_answer,
    read_customize_answer,
    read_decorator_answer,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}}


def read(body: Any, *, is_strict: bool = True, status: int = 200, **headers: str) -> CompositeAnswer:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_composite_answer(HookAnswer(status, named, raw), is_strict=is_strict, now=NOW)


def test_reads_whole_answer():
    body = {"status": {"phase": "Running"}, "children": [JOB], "resyncAfterSeconds": 12, "finalized": True}
    assert read(body) == CompositeAnswer([JOB], {"phase": "Running"}, 12.0, True)


@pytest.mark.parametrize("body", [b"{}", b"null", b'{"children":null,"status":null}'])
def test_nothing_means_no_children(body: bytes):
    assert read(body) == CompositeAnswer(children=[], status=None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "can't unmarshal"),
        (b"[]", "can't unmarshal"),
        (b"{", "can't unmarshal"),
        (b'{"children":{}}', "children is no list"),
        (b'{"children":["a"]}', "no object"),
        (b'{"children":[{"metadata":{}}]}', "Kind"),
        (b'{"status":[]}', "status is no object"),
        (b'{"finalized":"yes"}', "finalized is no boolean"),
        (b'{"resyncAfterSeconds":"5"}', "resyncAfterSeconds is no number"),
    ],
)
@pytest.mark.parametrize("is_strict", [True, False])
def test_wrong_types_always_fail(body: bytes, message: str, is_strict: bool):
    with pytest.raises(HookFailed, match=message):
        read(body, is_strict=is_strict)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"Status":{}}', 'unknown field "Status"'),
        (b'{"finalized":true,"finalized":false}', 'duplicate field "finalized"'),
        (b'{"status":{"steps":[{"a":1,"a":2}]}}', 'duplicate field "status.steps.a"'),
    ],
)
def test_strict_refuses_what_loose_takes(body: bytes, message: str):
    with pytest.raises(HookFailed, match=message):
        read(body)
    assert read(body, is_strict=False).children == []


def test_children_may_repeat_fields():
    assert read(b'{"children":[{"kind":"Job","a":1,"a":2}]}').children == [{"kind": "Job", "a": 2}]


def test_null_child_is_loud():
    with pytest.raises(MetacontrollerWouldCrash):
        read(b'{"children":[null]}')


@pytest.mark.parametrize("status", [201, 204, 304, 400, 500])
def test_only_200_is_success(status: int):
    with pytest.raises(HookFailed, match=f"unsupported status code: {status} body: oh no"):
        read(b"oh no", status=status)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [("7", 7.0), ("Fri, 02 Jan 2026 03:04:35 GMT", 30.0), ("soon", 0.0), ("", 0.0)],
)
def test_429_says_when(retry_after: str, seconds: float):
    with pytest.raises(TooManyRequests) as caught:
        read(b"", status=429, retry_after=retry_after)
    assert caught.value.after_seconds == seconds


def test_reads_decorator_answer():
    body = orjson.dumps({"labels": {"a": "1", "b": None}, "annotations": None, "attachments": [JOB]})
    answer = read_decorator_answer(HookAnswer(200, {}, body), is_strict=True, now=NOW)
    assert answer == DecoratorAnswer([JOB], {"a": "1", "b": None})


def test_decorator_labels_are_strings():
    with pytest.raises(HookFailed, match="labels"):
        read_decorator_answer(HookAnswer(200, {}, b'{"labels":{"a":1}}'), is_strict=True, now=NOW)


def test_customize_rules_are_checked_strictly():
    body = b'{"relatedResources":[{"apiVersion":"v1","resource":"pods","nmespace":"x"}]}'
    with pytest.raises(HookFailed, match='unknown field "nmespace"'):
        read_customize_answer(HookAnswer(200, {}, body), is_strict=True, now=NOW)
    assert len(read_customize_answer(HookAnswer(200, {}, body), is_strict=False, now=NOW)) == 1
