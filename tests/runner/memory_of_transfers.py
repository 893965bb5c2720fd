"""`python -m tests.runner.memory_of_transfers save|restore BYTES FOLDER`: how much memory a large file costs.

Against a store and an api that keep nothing, in processes of their own: the growth printed, in bytes, is that
of our own code alone.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import zstandard

from c8s.adapters.download import Download
from c8s.adapters.http_transfer import Answer, Transfer
from c8s.adapters.part_upload import PartUpload
from c8s.runner.packing import Packer
from c8s.runner.selection import build_selection
from c8s.runner.tar_stream import Entry, write_end, write_header, write_padding
from c8s.runner.unpacking import Unpacker

PART_BYTES = 16 * 1024 * 1024
BLOCK_BYTES = 1024 * 1024


class StoreOfNothing(Transfer):
    """Takes every part; sends an archive that is made while it is read."""

    __slots__ = ()

    def send(self, *_: object, **__: object) -> Answer:
        return Answer(200, {"ETag": '"x"'}, b"")


class Generated:
    """A stream out of pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def read(self, size: int) -> bytes:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._left = piece
        data, self._left = self._left[:size], self._left[size:]
        return data

    def close(self) -> None:
        """Nothing is held."""


def generate_archive(size_bytes: int) -> Iterator[bytes]:
    """Yield the compressed pieces of an archive of one file that does not compress."""
    compressor = zstandard.ZstdCompressor(level=1).compressobj()
    block = random.Random(1).randbytes(BLOCK_BYTES)
    tar = io.BytesIO()
    write_header(tar.write, Entry("large", b"0", 0o644, 0, size_bytes))
    yield compressor.compress(tar.getvalue())
    for _ in range(size_bytes // BLOCK_BYTES):
        yield compressor.compress(block)
    tar = io.BytesIO()
    write_padding(tar.write, size_bytes)
    write_end(tar.write)
    yield compressor.compress(tar.getvalue()) + compressor.flush()


def save(size_bytes: int, folder: Path) -> None:
    """Save a file that does not compress."""
    block = random.Random(1).randbytes(BLOCK_BYTES)
    with (folder / "large").open("wb") as file:
        for _ in range(size_bytes // BLOCK_BYTES):
            file.write(block)
    root = os.open(folder, os.O_RDONLY)
    with PartUpload(StoreOfNothing(), lambda number: "", PART_BYTES, size_bytes * 2) as upload:
        packer = Packer(upload.write, print)
        packer.add(build_selection(["large"]).find(root))
        packer.finish()
        upload.finish()


def restore(size_bytes: int, folder: Path) -> None:
    """Unpack what is made while it is read, by way of a `Download`."""
    digest, length = hashlib.sha256(), 0
    for piece in generate_archive(size_bytes):
        digest.update(piece)
        length += len(piece)
    download = Download(Transfer(), "", lambda: "", length, digest.hexdigest())
    download._answer = Generated(generate_archive(size_bytes))  # type: ignore[assignment]
    unpacker = Unpacker({"": folder}, size_bytes)
    unpacker.unpack(download)
    download.verify()
    unpacker.finish()


def read_peak_bytes() -> int:
    """The most memory that this process has had."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main() -> None:
    work = {"save": save, "restore": restore}[sys.argv[1]]
    before = read_peak_bytes()
    work(int(sys.argv[2]), Path(sys.argv[3]))
    print(read_peak_bytes() - before)


if __name__ == "__main__":
    main()
