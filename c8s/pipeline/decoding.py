"""Bytes to characters that can all be seen."""

from __future__ import annotations

import re

from c8s.pipeline import limits
from c8s.pipeline.problems import Problem

# Controls, odd line breaks, byte-order marks, what turns the direction of writing: they hide what is read.
_UNREADABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)


class ReadError(Exception):
    """A text that can't be read to its end; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def decode_text(text: bytes | str, file: str) -> str:
    """Return `text` as characters that can all be seen; lines end with a line feed. Raises ReadError."""
    if len(text) > limits.FILE_BYTES:
        message = f"the file has more than {limits.FILE_BYTES} bytes"
        raise ReadError(place_problem(file, 1, 1, message, "too-large"))
    decoded = _decode_bytes(text, file) if isinstance(text, bytes) else text
    decoded = decoded.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    bad = _UNREADABLE.search(decoded)
    if bad:
        line, column = _count_place(decoded, bad.start())
        message = f"the character U+{ord(bad[0]):04X} can't be seen and is not allowed"
        raise ReadError(
            place_problem(file, line, column, message, "bad-character", "in double quotes, write it as \\u…")
        )
    return decoded


def _decode_bytes(text: bytes, file: str) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _count_place(text[: error.start].decode("utf-8"), error.start)
        message = f"the byte 0x{text[error.start]:02X} is not UTF-8"
        raise ReadError(
            place_problem(file, line, column, message, "bad-character", "save the file as UTF-8")
        ) from error


def _count_place(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def place_problem(
    file: str, line: int, column: int, message: str, rule: str, hint: str = "", path: str = ""
) -> Problem:
    """Return an error at a place that was found without a `Source`."""
    return Problem(file, line, column, message, hint, rule, "error", path)
