"""Signatures and tokens are compared in constant time: by `hmac.compare_digest`, never by `==`."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable

import pytest

from api.sessions import Session
from c8s.run.frozen import is_frozen_signed
from webhook.forges import FORGES

COMPARISONS = [
    is_frozen_signed,
    Session.accepts,
    *(type(forge).is_signed_with for forge in FORGES.values()),
]


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda function: function.__qualname__)
def test_comparison_takes_the_same_time(compare: Callable[..., bool]) -> None:
    nodes = list(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(compare)))))
    calls = [node.func for node in nodes if isinstance(node, ast.Call)]

    assert any(isinstance(call, ast.Attribute) and call.attr == "compare_digest" for call in calls)
    assert not any(isinstance(node, ast.Compare) for node in nodes)
