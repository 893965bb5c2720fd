"""Archives made to leave the workspace: all are refused, and nothing outside is touched."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from c8s.runner.endings import Impossible
from c8s.runner.tar_stream import BadArchive, Entry, write_end, write_header, write_padding
from c8s.runner.unpacking import Unpacker

LIMIT_BYTES = 1 << 20


def pack(*entries: tuple[Entry, bytes]) -> io.BytesIO:
    """Return the archive of entries as they are, however bad."""
    tar = io.BytesIO()
    for entry, content in entries:
        write_header(tar.write, entry)
        tar.write(content)
        write_padding(tar.write, len(content))
    write_end(tar.write)
    return compress(tar.getvalue())


def compress(tar: bytes) -> io.BytesIO:
    return io.BytesIO(zstandard.ZstdCompressor().compress(tar))


def file(
    path: str, content: bytes = b"x", mode: int = 0o644, kind: bytes = tarfile.REGTYPE
) -> tuple[Entry, bytes]:
    return Entry(path, kind, mode, 0, len(content)), content


def folder(path: str, mode: int = 0o755) -> tuple[Entry, bytes]:
    return Entry(path, tarfile.DIRTYPE, mode, 0), b""


def link(path: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[Entry, bytes]:
    return Entry(path, kind, 0o777, 0, target=target), b""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    workspace = tmp_path / "pod" / "workspace"
    workspace.mkdir(parents=True)
    (tmp_path / "pod" / "secret").write_text("untouched")
    return workspace


def unpack(root: Path, archive: io.BytesIO, limit_bytes: int = LIMIT_BYTES) -> None:
    unpacker = Unpacker({"": root}, limit_bytes)
    unpacker.unpack(archive)
    unpacker.finish()


def outside(root: Path) -> list[str]:
    """What lies beside the workspace."""
    assert (root.parent / "secret").read_text() == "untouched"
    return sorted(path.name for path in root.parent.iterdir())


HOSTILE = {
    "absolute": [file("/etc/evil")],
    "parent": [file("../evil")],
    "parent inside": [file("a/../../evil")],
    "dot": [file("./a")],
    "empty part": [file("a//b")],
    "empty name": [file("")],
    "zero byte": [link("a", "b\0c" + "d" * 200)],
    "absolute link": [link("a", "/etc")],
    "link to the parent": [link("a", "..")],
    "link out from below": [link("a/b/c", "../../../secret")],
    "link out after a name": [link("a", "b/../../secret")],
    "empty link": [link("a", "")],
    "endless link": [link("a", "x/" * 2000)],
    "hard link": [file("a"), link("b", "a", tarfile.LNKTYPE)],
    "hard link outside": [link("a", "../secret", tarfile.LNKTYPE)],
    "device": [file("a", b"", kind=tarfile.CHRTYPE)],
    "block device": [file("a", b"", kind=tarfile.BLKTYPE)],
    "pipe": [file("a", b"", kind=tarfile.FIFOTYPE)],
    "setuid": [file("a", mode=0o4755)],
    "setgid": [file("a", mode=0o2755)],
    "sticky folder": [folder("a", 0o1777)],
    "twice": [file("a"), file("a")],
    "file over its folder": [folder("a"), file("a/b"), file("a")],
    "out of order": [file("b"), file("a")],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_entry_is_refused(root: Path, name: str) -> None:
    with pytest.raises(BadArchive):
        unpack(root, pack(*HOSTILE[name]))
    assert outside(root) == ["secret", "workspace"]


@pytest.mark.parametrize("target", ["..", "../../..", "/", "inside"])
def test_nothing_is_written_through_a_link(root: Path, target: str) -> None:
    """The link may come out of the commit, or out of the archive itself."""
    (root / "inside").mkdir()
    (root / "out").symlink_to(target)
    with pytest.raises(Impossible, match="is a link or a file here, not a folder"):
        unpack(root, pack(file("out/evil")))
    assert outside(root) == ["secret", "workspace"]
    assert list((root / "inside").iterdir()) == []


def test_own_link_is_not_written_through(root: Path) -> None:
    with pytest.raises(Impossible, match="is a link or a file here"):
        unpack(root, pack(folder("a"), link("b", "a"), file("b/evil")))
    assert list((root / "a").iterdir()) == []


def test_link_through_a_link_of_the_commit_is_refused(root: Path) -> None:
    (root / "out").symlink_to("..")
    with pytest.raises(BadArchive, match="leads out by another one"):
        unpack(root, pack(link("a", "out/secret")))
    assert not (root / "a").is_symlink()


def test_link_that_stands_in_the_way_is_replaced_not_followed(root: Path) -> None:
    (root / "a").symlink_to("../secret")
    unpack(root, pack(file("a", b"new")))
    assert (root / "a").read_bytes() == b"new"
    assert outside(root) == ["secret", "workspace"]


def test_folder_is_never_replaced(root: Path) -> None:
    (root / "a").mkdir()
    with pytest.raises(Impossible, match="is a folder here and a file in the archive"):
        unpack(root, pack(link("a", "b")))


def test_declared_size_is_held_against_the_limit_before_a_byte_is_written(root: Path) -> None:
    tar = io.BytesIO()
    write_header(tar.write, Entry("bomb", tarfile.REGTYPE, 0o644, 0, 1 << 40))
    with pytest.raises(Impossible, match=r"raise resources\.storage"):
        unpack(root, compress(tar.getvalue()))
    assert not (root / "bomb").exists()


def test_many_files_count_together(root: Path) -> None:
    entries = [file(f"{number:03}", bytes(100_000)) for number in range(20)]
    with pytest.raises(Impossible, match=r"raise resources\.storage"):
        unpack(root, pack(*entries))


def test_huge_window_is_refused(root: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    frame = compressor.compress(bytes(1024)) + compressor.flush()
    with pytest.raises(BadArchive, match="the archive is damaged"):
        unpack(root, io.BytesIO(frame))


def make_pax_bomb() -> bytes:
    """A header that says that a gigabyte of records follows."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    return info.tobuf(tarfile.USTAR_FORMAT)


def make_gnu_long_name() -> bytes:
    info = tarfile.TarInfo("x" * 300)
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


def make_unknown_record() -> bytes:
    info = tarfile.TarInfo("x")
    info.pax_headers = {"GNU.sparse.major": "1"}
    return info.tobuf(tarfile.PAX_FORMAT) + bytes(1024)


@pytest.mark.parametrize(
    "make",
    [
        make_pax_bomb,
        make_gnu_long_name,
        make_unknown_record,
        lambda: b"no tar at all" * 100,
        lambda: b"",
        lambda: bytes(100),
    ],
)
def test_strange_tar_is_refused(root: Path, make: Callable[[], bytes]) -> None:
    with pytest.raises(BadArchive):
        unpack(root, compress(make()))
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("kept_bytes", [3, 40])
def test_cut_off_archive_is_refused(root: Path, kept_bytes: int) -> None:
    archive = pack(file("a", os.urandom(1000))).getvalue()
    with pytest.raises(BadArchive):
        unpack(root, io.BytesIO(archive[:kept_bytes]))


def test_other_programs_read_our_archives(root: Path) -> None:
    """`tarfile` stands for them."""
    archive = pack(folder("a"), file("a/" + "long" * 50, b"content"), link("b", "a"))
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(archive.getvalue())
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        assert tar.getnames() == ["a", "a/" + "long" * 50, "b"]
        assert tar.extractfile("a/" + "long" * 50).read() == b"content"  # type: ignore[union-attr]
