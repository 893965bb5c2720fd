"""Names of commits, branches, tags and files that strangers choose, checked before git sees them.

The rules for refs are those of `git check-ref-format` (https://git-scm.com/docs/git-check-ref-format),
with two more: a name never starts with `-` and is at most 255 bytes long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from c8s.adapters.git_errors import BadRef

REF_LIMIT_BYTES = 255
PATH_LIMIT_BYTES = 1024

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_FULL_COMMIT = re.compile(r"[0-9a-f]{40}")
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Revision:
    """What to read: a commit (7 to 40 hex digits), else the head of a branch or tag, else the default one.

    Raises `BadRef` where it is made, so that a `Revision` is always safe to hand to git.
    """

    commit: str = ""
    branch: str = ""
    tag: str = ""

    def __post_init__(self) -> None:
        if self.commit and not _COMMIT.fullmatch(self.commit):
            raise BadRef(f"{_shorten(self.commit)} is not a commit: 7 to 40 hex digits in lower case")
        for name in (self.branch, self.tag):
            if name:
                check_ref_name(name)

    @property
    def is_full_commit(self) -> bool:
        return is_full_commit(self.commit)

    @property
    def ref(self) -> str:
        """The full name of the ref to fetch when there is no commit."""
        if self.branch:
            return f"refs/heads/{self.branch}"
        return f"refs/tags/{self.tag}" if self.tag else "HEAD"


def is_full_commit(text: str) -> bool:
    """Whether the text is a whole SHA-1, 40 hex digits in lower case."""
    return _FULL_COMMIT.fullmatch(text) is not None


def check_ref_name(name: str) -> str:
    """The name of a branch or tag, as it is. Raises `BadRef` when git would not take it."""
    components = name.split("/")
    if (
        not name
        or name == "@"
        or name.startswith("-")
        or name.endswith(".")
        or len(name.encode("utf-8", "surrogatepass")) > REF_LIMIT_BYTES
        or _BAD_IN_REF.search(name)
        or any(not part or part.startswith(".") or part.endswith(".lock") for part in components)
        or not _is_utf8(name)
    ):
        raise BadRef(f"{_shorten(name)} is not a name that git allows for a branch or tag")
    return name


def check_path(path: str) -> str:
    """A path from the root of the repository, as it is. Raises `BadRef` when it could lead elsewhere."""
    parts = path.split("/")
    if (
        not path
        or path.startswith(("-", ":"))
        or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
        or _CONTROL.search(path)
        or "\\" in path
        or not _is_utf8(path)
        or len(path.encode()) > PATH_LIMIT_BYTES
    ):
        raise BadRef(f"{_shorten(path)} is not the path of a file from the root of the repository")
    return path


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shorten(text: str) -> str:
    """The text in quotes, with escapes for what is not printable, at most 80 characters of it."""
    return ascii(text if len(text) <= 80 else text[:80] + "…")
