from __future__ import annotations

import pytest

from c8s.pipeline.images import is_image_reference

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "text",
    [
        "python",
        "python:3.12",
        "library/python",
        "registry.example/team/my-tool_x:1.0_b",
        "localhost:5000/tool",
        f"python:3.12@{DIGEST}",
        f"[::1]:5000/tool@{DIGEST}",
    ],
)
def test_image_reference_is_accepted(text: str) -> None:
    assert is_image_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Python",
        "python:",
        "a b",
        "https://x/y",
        "a//b",
        "-a",
        "python:3.12\n",
        "a@sha256:0",
        "$(x)",
        "x" * 513,
    ],
)
def test_other_text_is_no_image_reference(text: str) -> None:
    assert not is_image_reference(text)
