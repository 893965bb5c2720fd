"""Which files are saved: those that fit globs, with all that lies in folders that fit.

The globs are those of `c8s.pipeline.globs` over paths relative to the root. No symbolic link is followed,
not even one that takes a folder's place meanwhile: every folder is opened from its parent. Git's own folder
at the root is left out unless a glob begins with `.git`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from c8s.pipeline.globs import matches
from c8s.runner.endings import Impossible

FOLDER_LEVELS = 200
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SPECIAL = "*?["


@dataclass(frozen=True, slots=True)
class Found:
    """A file, folder or link: open it by `name` in the folder `parent`, a descriptor, while it is yielded."""

    path: str
    name: str
    parent: int
    status: os.stat_result

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)


@dataclass(slots=True)
class Pattern:
    """One glob. `within`: of a glob `a/**` the glob of the folders whose content it stands for."""

    text: str
    within: str | None
    beginning: str
    ending: str
    has_matched: bool = False

    def takes(self, path: str) -> bool:
        """Say whether `path` itself fits."""
        return (
            self.within is None
            and path.endswith(self.ending)
            and path.startswith(self.beginning)
            and matches(self.text, path)
        )

    def takes_content(self, folder: str) -> bool:
        """Say whether all in `folder` fits; the root's path is empty."""
        if self.within is None:
            return False
        return not self.within if not folder else bool(self.within) and matches(self.within, folder)

    def may_lie_in(self, folder: str) -> bool:
        """Say whether something below `folder` could fit."""
        inside = f"{folder}/"
        return inside.startswith(self.beginning) or self.beginning.startswith(inside)


@dataclass(slots=True)
class Selection:
    """Globs, and which of them have found something."""

    patterns: list[Pattern] = field(default_factory=list)

    @property
    def unmatched(self) -> list[str]:
        return [one.text for one in self.patterns if not one.has_matched]

    def find(self, root: int) -> Iterator[Found]:
        """Yield what fits below the folder `root`, a descriptor: each folder before what it holds."""
        takers = [one for one in self.patterns if one.takes_content("")]
        yield from self._walk(root, "", takers, 0)

    def _walk(self, folder: int, path: str, takers: list[Pattern], level: int) -> Iterator[Found]:
        if level > FOLDER_LEVELS:
            raise Impossible("PathTooDeep", f"{path[:200]!a} lies deeper than {FOLDER_LEVELS} folders")
        for name in sorted(os.listdir(folder)):
            inside = f"{path}/{name}" if path else name
            if inside == ".git" and not self._names_git():
                continue
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            fitting = takers or [one for one in self.patterns if one.takes(inside)]
            for pattern in fitting:
                pattern.has_matched = True
            if fitting:
                yield Found(inside, name, folder, status)
            if stat.S_ISDIR(status.st_mode):
                yield from self._descend(folder, name, inside, fitting, level)

    def _descend(
        self, parent: int, name: str, path: str, takers: list[Pattern], level: int
    ) -> Iterator[Found]:
        inner = takers or [one for one in self.patterns if one.takes_content(path)]
        if not inner and not any(one.may_lie_in(path) for one in self.patterns):
            return
        folder = os.open(name, _FOLDER_FLAGS, dir_fd=parent)
        try:
            yield from self._walk(folder, path, inner, level + 1)
        finally:
            os.close(folder)

    def _names_git(self) -> bool:
        return any(one.text.startswith(".git") for one in self.patterns)


def build_selection(globs: Iterable[str]) -> Selection:
    """Return the selection of `globs`. Raises Impossible for one that leaves the root."""
    return Selection([_parse_pattern(one) for one in dict.fromkeys(globs)])


def _parse_pattern(given: str) -> Pattern:
    parts = given.split("/")
    if given.startswith("/") or ".." in parts:
        raise Impossible("GlobLeavesWorkspace", f"the glob {given[:200]!a} leaves the workspace")
    text = "/".join(part for part in parts if part not in ("", "."))
    if not text:
        return Pattern(given, "", "", "")
    within = "" if text == "**" else text[:-3] if text.endswith("/**") else None
    literal = next((place for place, character in enumerate(text) if character in _SPECIAL), len(text))
    ending = text[max((text.rfind(character) for character in "*?]"), default=-1) + 1 :]
    return Pattern(text, within, text[:literal], ending if literal < len(text) else "")
