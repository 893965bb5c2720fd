"""A log as plain text over HTTP: parts, bytes of the archive (RFC 9110, section 14), a file to keep."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import Response, request
from werkzeug.http import quote_etag

from api.archive import ArchivedLog, join_lines, split_lines
from c8s.logs.slices import WHOLE, Slice

TEXT_TYPE = "text/plain; charset=utf-8"
LOG_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
ARCHIVE_HEADERS = {**LOG_HEADERS, "Accept-Ranges": "bytes"}

Enter = Callable[[Iterator[bytes]], Iterator[bytes]]
"""Takes a place among the streams."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class TextWish:
    """How the text is wanted; with `file_name` as a file to keep."""

    wanted: Slice = WHOLE
    with_timestamps: bool = True
    file_name: str = ""

    @property
    def is_whole(self) -> bool:
        return self.wanted == WHOLE and self.with_timestamps


def answer_text(found: Iterator[bytes] | ArchivedLog, wish: TextWish, enter: Enter) -> Response:
    """The log, in a place among the streams that is free again when it is read or given up."""
    if isinstance(found, ArchivedLog) and wish.is_whole:
        response = _answer_whole(found, enter)
    else:
        pieces = found.read_slice(wish.wanted) if isinstance(found, ArchivedLog) else found
        shown = pieces if wish.with_timestamps else strip_origin(pieces)
        response = Response(enter(shown), content_type=TEXT_TYPE, headers=LOG_HEADERS)
    if wish.file_name:
        response.headers["Content-Disposition"] = f'attachment; filename="{wish.file_name}"'
    return response


def name_file(run: str, step: str) -> str:
    """`main-0a1b2c-unit.log`, of characters that need no quoting anywhere."""
    return f"{_UNSAFE.sub('_', f'{run}-{step}')[:200].lstrip('.-') or 'step'}.log"


def strip_origin(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The lines' texts alone, without time and container."""
    return join_lines(line.split(b" ", 2)[-1] for line in split_lines(pieces))


def _answer_whole(archived: ArchivedLog, enter: Enter) -> Response:
    etag = archived.etag
    if etag and etag in request.if_none_match:
        response = Response(status=304)
    else:
        response = _answer_bytes(archived, enter)
    response.headers.update(ARCHIVE_HEADERS)
    if etag:
        response.headers["ETag"] = quote_etag(etag)
    return response


def _answer_bytes(archived: ArchivedLog, enter: Enter) -> Response:
    size = archived.size_bytes
    wanted = _read_range(archived.etag)
    if wanted is None:
        return _respond(enter(archived.read()), 200, size)
    start, stop = _fit_range(*wanted, size)
    if start >= stop:
        return Response(status=416, headers={"Content-Range": f"bytes */{size}"}, content_type=TEXT_TYPE)
    response = _respond(enter(archived.read(start, stop - start)), 206, stop - start)
    response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return response


def _respond(pieces: Iterator[bytes], status: int, size_bytes: int) -> Response:
    return Response(
        pieces, status=status, content_type=TEXT_TYPE, headers={"Content-Length": str(size_bytes)}
    )


def _read_range(etag: str) -> tuple[int, int | None] | None:
    """The one range of bytes asked for; None for several, and for a range of another text."""
    wanted = request.range
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return None
    if request.headers.get("If-Range", quote_etag(etag)) != quote_etag(etag):
        return None
    return wanted.ranges[0]


def _fit_range(start: int, stop: int | None, size: int) -> tuple[int, int]:
    """A range within `size` bytes; a negative start counts from the end."""
    return (max(0, start + size) if start < 0 else start), size if stop is None else min(stop, size)
