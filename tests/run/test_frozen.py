"""A frozen pipeline is believed only with c8s's own signature for this very run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from c8s.run.errors import UnusablePipeline
from c8s.run.frozen import find_pipeline, is_frozen_signed, is_full_commit, sign_frozen
from c8s.run.observed_run import InlineSource, ObservedRun, PullRequest

KEY, OLD_KEY = "new-key", "old-key"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
DOCUMENT = {"name": "app", "steps": [{"name": "unit", "image": "python:3.12", "commands": ["pytest"]}]}
FROZEN = {
    "version": 1,
    "pipeline": DOCUMENT,
    "source": {
        "repository": "https://git.example.com/app.git",
        "commit": COMMIT,
        "authSecretRef": {"name": "token"},
        "allowedHosts": ["git.internal"],
    },
    "allow": {"root": True},
    "trusted": True,
}


def make_run(frozen: Any = FROZEN, key: str = KEY) -> ObservedRun:
    text = frozen if isinstance(frozen, str) else json.dumps(frozen)
    signature = sign_frozen(key, "team", "app-1", "uid-1", text)
    return ObservedRun("app-1", "team", "uid-1", frozen_text=text, frozen_signature=signature)


def test_signature_has_the_documented_form() -> None:
    """Others may have to verify it: a change breaks every run in flight."""
    assert sign_frozen("key", "team", "app-1", "uid-1", "{}") == (
        "v1=e461db184fa46065b2c359d86a0937f1c7f6d9996204d631994a81adcecdd1c3"
    )


def test_signed_pipeline_is_read() -> None:
    found = find_pipeline(make_run(), [KEY], ())
    assert found is not None
    assert (found.repository, found.commit, found.auth_secret, found.allowed_hosts, found.allow_root) == (
        "https://git.example.com/app.git",
        COMMIT,
        "token",
        ("git.internal",),
        True,
    )
    assert [one.name for one in found.instances] == ["unit"]


@pytest.mark.parametrize(
    "untrusted", [FROZEN | {"trusted": False}, {k: v for k, v in FROZEN.items() if k != "trusted"}]
)
def test_untrusted_pipeline_never_gets_root(untrusted: Any) -> None:
    found = find_pipeline(make_run(untrusted), [KEY], ())
    assert found is not None
    assert (found.is_trusted, found.allow_root) == (False, False)


def test_inline_pipeline_of_a_fork_is_untrusted() -> None:
    inline = InlineSource(DOCUMENT, "https://git.example.com/app.git", "")
    fork = PullRequest(7, "main", from_fork=True)
    run = ObservedRun("app-1", "team", "uid-1", commit=COMMIT, inline=inline, pull_request=fork)
    found = find_pipeline(run, [KEY], ())
    assert found is not None
    assert not found.is_trusted


def test_any_key_verifies() -> None:
    assert find_pipeline(make_run(key=OLD_KEY), [KEY, OLD_KEY], ()) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"frozen_text": json.dumps(FROZEN | {"allow": {"root": False}})},
        {"frozen_signature": ""},
        {"frozen_signature": "v1="},
        {"frozen_signature": "v1=é"},
        {"name": "app-2"},
        {"namespace": "other"},
        {"uid": "uid-2"},
    ],
)
def test_anything_else_is_untrusted(changes: dict[str, Any]) -> None:
    """Also a good signature of another run: nobody may carry `allow.root` over."""
    with pytest.raises(UnusablePipeline) as caught:
        find_pipeline(replace(make_run(), **changes), [KEY], ())
    assert caught.value.reason == "FrozenPipelineUntrusted"


def test_unknown_key_is_untrusted() -> None:
    run = make_run(key="stranger")
    assert not is_frozen_signed([KEY], "team", "app-1", "uid-1", run.frozen_text, run.frozen_signature)
    assert not is_frozen_signed([], "team", "app-1", "uid-1", run.frozen_text, run.frozen_signature)


@pytest.mark.parametrize(
    "frozen",
    [
        "{",
        "[]",
        FROZEN | {"version": 2},
        FROZEN | {"pipeline": 7},
        FROZEN | {"source": {"allowedHosts": "git.internal"}},
        FROZEN | {"allow": {"root": "yes"}},
        FROZEN | {"pipeline": {"name": "app", "steps": []}},
    ],
)
def test_signed_nonsense_fails_with_a_reason(frozen: Any) -> None:
    with pytest.raises(UnusablePipeline) as caught:
        find_pipeline(make_run(frozen), [KEY], ())
    assert caught.value.reason == "InvalidPipeline"


def test_inline_pipeline_never_allows_root() -> None:
    inline = InlineSource(DOCUMENT, "https://git.example.com/app.git", "token")
    run = ObservedRun("app-1", "team", "uid-1", commit=COMMIT, inline=inline)
    found = find_pipeline(run, [KEY], ("git.internal",))
    assert found is not None
    assert (found.allow_root, found.allowed_hosts, found.auth_secret) == (False, ("git.internal",), "token")


@pytest.mark.parametrize("commit", ["", "0123456", COMMIT[:-1], COMMIT + "0", COMMIT.upper(), "g" * 40])
def test_short_commit_is_not_a_full_one(commit: str) -> None:
    assert not is_full_commit(commit)
