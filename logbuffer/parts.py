"""The parts of a step's log, in the order of the archive, and how far each is in the chunks."""

from __future__ import annotations

from dataclasses import dataclass, field

from logbuffer.spool import Spool


@dataclass(slots=True)
class Part:
    """Lines of one container of a pod; or of c8s itself, then `pod` (a UID) and `container` are empty."""

    number: int
    pod: str = ""
    container: str = ""
    spool: Spool = field(default_factory=Spool)
    revision: int = 0
    is_complete: bool = False
    """Nothing is added any more, and it was compared with its source."""
    kept_bytes: int = 0
    """So much of the spool is in chunks."""
    kept_lines: int = 0
    """The number the next chunk's first line has."""
    is_end_kept: bool = False

    @property
    def is_own(self) -> bool:
        return not self.container

    @property
    def unkept_bytes(self) -> int:
        return self.spool.size_bytes - self.kept_bytes

    @property
    def is_kept(self) -> bool:
        """Whether the chunks say all there is to say of it."""
        return self.unkept_bytes == 0 and (self.is_end_kept or not self.is_complete)

    def replace(self, spool: Spool) -> None:
        """The same part, corrected: the chunks have to tell all of it anew."""
        self.spool = spool
        self.revision += 1
        self.kept_bytes = self.kept_lines = 0
        self.is_end_kept = False
