"""Any tree that is packed is unpacked as it was, and in little memory however large it is."""

from __future__ import annotations

import io
import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.runner.endings import Impossible
from c8s.runner.packing import Packer
from c8s.runner.selection import build_selection
from c8s.runner.unpacking import Unpacker

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=60)
SAFE_NAMES = NAMES.filter(lambda name: name not in (".", "..", ".git") and len(name.encode()) <= 200)
FILES = st.tuples(
    st.binary(max_size=2000),
    st.sampled_from([0o644, 0o600, 0o755, 0o444]),
    st.integers(min_value=-(10**18), max_value=4 * 10**18),
)
TREES = st.recursive(
    st.dictionaries(SAFE_NAMES, FILES, max_size=4),
    lambda inner: st.dictionaries(SAFE_NAMES, FILES | inner, max_size=4),
    max_leaves=12,
)


def build_tree(folder: Path, tree: dict[str, object]) -> None:
    for name, content in tree.items():
        if isinstance(content, dict):
            (folder / name).mkdir()
            build_tree(folder / name, content)
        else:
            data, mode, modified_ns = content  # type: ignore[misc]
            (folder / name).write_bytes(data)
            (folder / name).chmod(mode)
            os.utime(folder / name, ns=(modified_ns, modified_ns))


def describe(folder: Path) -> dict[str, tuple[int, int, bytes | None]]:
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else None,
        )
        for path in folder.rglob("*")
    }


def pack(root: Path, *globs: str, lines: list[str] | None = None) -> bytes:
    archive = io.BytesIO()
    packer = Packer(archive.write, (lines if lines is not None else []).append)
    folder = os.open(root, os.O_RDONLY)
    try:
        packer.add(build_selection(globs).find(folder))
    finally:
        os.close(folder)
    packer.finish()
    return archive.getvalue()


def unpack(root: Path, archive: bytes) -> None:
    unpacker = Unpacker({"": root}, 1 << 30)
    unpacker.unpack(io.BytesIO(archive))
    unpacker.finish()


@settings(max_examples=60, deadline=None)
@given(tree=TREES)
def test_every_tree_comes_back(tree: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        build_tree(Path(one), tree)
        unpack(Path(other), pack(Path(one), "**"))
        assert describe(Path(other)) == describe(Path(one))


def list_selected(root: Path, *globs: str) -> list[str]:
    folder = os.open(root, os.O_RDONLY)
    try:
        return [found.path for found in build_selection(globs).find(folder)]
    finally:
        os.close(folder)


@pytest.mark.parametrize(
    ("glob", "selected"),
    [
        ("dist", ["dist", "dist/a.js", "dist/lib", "dist/lib/b.js"]),
        ("dist/", ["dist", "dist/a.js", "dist/lib", "dist/lib/b.js"]),
        ("./dist/**", ["dist/a.js", "dist/lib", "dist/lib/b.js"]),
        ("dist/*", ["dist/a.js", "dist/lib", "dist/lib/b.js"]),
        ("**/*.js", ["dist/a.js", "dist/lib/b.js"]),
        ("*.[tx]*", ["report.xml"]),
        ("**/lib/**", ["dist/lib/b.js"]),
        ("r?port.xml", ["report.xml"]),
        (".git/config", [".git/config"]),
        ("none", []),
    ],
)
def test_globs_select_files_and_whole_folders(tmp_path: Path, glob: str, selected: list[str]) -> None:
    for path in ("dist/a.js", "dist/lib/b.js", "report.xml", ".git/config"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    assert list_selected(tmp_path, glob) == selected


def test_all_files_are_all_but_those_of_git(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub" / ".git").mkdir(parents=True)
    assert list_selected(tmp_path, "**") == ["sub", "sub/.git"]


@pytest.mark.parametrize("glob", ["/etc/passwd", "../x", "a/../../x"])
def test_glob_that_leaves_the_workspace_is_refused(glob: str) -> None:
    with pytest.raises(Impossible, match="leaves the workspace"):
        build_selection([glob])


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "a/../../x"])
def test_link_that_leaves_is_not_saved(tmp_path: Path, target: str) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "out").symlink_to(target)
    with pytest.raises(Impossible, match="the link 'dist/out' -> "):
        pack(tmp_path, "dist")


def test_links_are_kept_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "file").write_text("x")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "inside").symlink_to("../target")
    other = tmp_path / "other"
    other.mkdir()
    unpack(other, pack(tmp_path, "dist"))
    assert (other / "dist" / "inside").readlink() == Path("../target")
    assert not (other / "target").exists()


def test_pipes_are_told_and_setuid_is_dropped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "tool").write_text("x")
    (tmp_path / "tool").chmod(0o4755)
    other = tmp_path / "other"
    other.mkdir()
    lines: list[str] = []
    unpack(other, pack(tmp_path, "pipe", "tool", lines=lines))
    assert lines == ["'pipe' is neither a file nor a folder: not saved"]
    assert stat.S_IMODE((other / "tool").stat().st_mode) == 0o755


@pytest.mark.parametrize("size_bytes", [0, 1, 511, 512, 513, 1024 * 1024, 3 * 1024 * 1024 + 7])
def test_files_of_any_size_come_back(tmp_path: Path, size_bytes: int) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "one" / "file").write_bytes(os.urandom(size_bytes))
    unpack(tmp_path / "other", pack(tmp_path / "one", "file"))
    assert (tmp_path / "other" / "file").read_bytes() == (tmp_path / "one" / "file").read_bytes()
