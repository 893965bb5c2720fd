"""Names of refs and paths, compared with what git itself says of them."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.adapters.git_errors import BadRef
from c8s.adapters.git_revisions import Revision, check_path, check_ref_name

AWKWARD = st.lists(
    st.sampled_from([*"ab/.@{-~^:?*[\\ ", "lock", ".lock", "\x7f", "\x01", "é"]), min_size=1, max_size=8
).map("".join)


def is_taken(name: str) -> bool:
    try:
        check_ref_name(name)
    except BadRef:
        return False
    return True


def git_takes(name: str) -> bool:
    command = ["git", "check-ref-format", "--branch", name]
    return subprocess.run(command, capture_output=True).returncode == 0


@settings(max_examples=150, deadline=None)
@given(AWKWARD)
def test_refs_follow_gits_rules(name: str) -> None:
    # `--branch` reads @{-1} and @ as other names; everywhere else git and c8s agree
    assert is_taken(name) == (git_takes(name) and "@{" not in name and name != "@")


@pytest.mark.parametrize("name", ["", "-x", "--upload-pack=id", "a\ud800", "x" * 256, "refs/heads/x.lock"])
def test_dangerous_refs_are_refused(name: str) -> None:
    with pytest.raises(BadRef):
        check_ref_name(name)


@pytest.mark.parametrize("commit", ["abcdef", "g" * 40, "A" * 40, "a" * 41, "-abcdef1", "abcdef1\n", "HEAD"])
def test_commit_is_hex(commit: str) -> None:
    with pytest.raises(BadRef):
        Revision(commit=commit)


def test_revision_names_its_ref() -> None:
    revisions = [Revision(branch="main"), Revision(tag="v1"), Revision()]

    assert [revision.ref for revision in revisions] == ["refs/heads/main", "refs/tags/v1", "HEAD"]


def test_error_shows_no_control_characters() -> None:
    with pytest.raises(BadRef) as caught:
        check_ref_name("a\x1b]0;title\x07\u202e" + "b" * 300)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("path", [".c8s.yaml", ".c8s/build.yaml", "a b/c-é.yaml"])
def test_plain_paths_are_taken(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path", ["", "/a", "a/", "./a", "a/../b", ".GIT/config", "-a", ":a", "a\\b", "a\x00", "x" * 1025]
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(BadRef):
        check_path(path)
