"""The files that a step kept, as a stream with a checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator


class DamagedDownload(Exception):
    """What came is not what was kept."""


class ArtifactDownload:
    """Readable like a file, once, from its beginning to its end; a context that ends the connection.

    `pieces` is a generator, which raises where the connection breaks off.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""
        self._digest = hashlib.sha256()

    def __enter__(self) -> ArtifactDownload:
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self._pieces, Generator):
            self._pieces.close()

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, none at the end."""
        if not self._rest:
            self._rest = next(self._pieces, b"")
            self._digest.update(self._rest)
        wanted = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:wanted], self._rest[wanted:]
        return data

    def verify(self, sha256: str) -> None:
        """Read what is left and compare the whole. Raises `DamagedDownload`."""
        while self.read():
            pass
        if self._digest.hexdigest() != sha256:
            raise DamagedDownload("its checksum is another one")
