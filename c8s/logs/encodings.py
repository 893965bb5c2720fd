"""The forms in which a secret's value may appear in a log.

A step prints what it likes: the value itself, its base64 in some header, its hex dump, the JSON or the
shell line it was put into. `forms_of` lists these forms, so that a masker can look for all of them.
"""

from __future__ import annotations

import base64
import html
import json
import shlex
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MIN_SECRET_CHARACTERS = 4
"""A shorter value would be found in ordinary words."""

MIN_LINE_CHARACTERS = 16
"""A line of a multi-line value this long is a form of its own: an indented key is still the key."""

MAX_WHOLE_BYTES = 8 * 1024
"""A longer value is looked for in pieces, which bounds what a masker must hold back."""

PIECE_BYTES = 4 * 1024
PIECE_OVERLAP_BYTES = 16


def is_maskable(value: bytes) -> bool:
    """Whether the value is long enough to be looked for, line breaks at its ends not counted."""
    return len(value.strip(b"\r\n").decode(errors="replace")) >= MIN_SECRET_CHARACTERS


def forms_of(value: bytes) -> frozenset[bytes]:
    """All forms of one value, each at least four bytes; none when it is not maskable.

    A value is also looked for without the line breaks at its ends: files have them, outputs often don't.
    """
    if not is_maskable(value):
        return frozenset()
    bare = value.strip(b"\r\n")
    if len(bare) > MAX_WHOLE_BYTES:
        forms = set(_forms_in_pieces(bare))
    else:
        forms = {form for text in (bare, value) for form in _forms(text)} | set(_lines(bare))
    return frozenset(form for form in forms if len(form) >= MIN_SECRET_CHARACTERS and form.strip())


def forms_of_all(values: Iterable[bytes]) -> frozenset[bytes]:
    """The forms of all values together."""
    return frozenset().union(*(forms_of(value) for value in values))


def _forms(value: bytes) -> Iterator[bytes]:
    yield from _plain_forms(value)
    yield from _base64_forms(value)
    yield value.hex().encode()
    yield value.hex().upper().encode()
    yield from _url_forms(value)
    yield value[::-1]
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return
    yield text[::-1].encode()
    for form in (*_json_forms(text), *_shell_forms(text), *_xml_forms(text)):
        yield form.encode()


def _forms_in_pieces(value: bytes) -> Iterator[bytes]:
    """Overlapping pieces, so that together they cover the whole; never cut inside a character of UTF-8."""
    start = 0
    while start < len(value):
        end = _character_start(value, start + PIECE_BYTES)
        yield from _forms(value[start:end])
        if end == len(value):
            break
        start = _character_start(value, end - PIECE_OVERLAP_BYTES)
    yield from _lines(value)


def _character_start(value: bytes, at: int) -> int:
    """The position, or the nearest one before it where a character of UTF-8 begins."""
    at = min(at, len(value))
    return next((start for start in range(at, max(at - 4, 0), -1) if not _is_continued(value, start)), at)


def _is_continued(value: bytes, at: int) -> bool:
    return at < len(value) and value[at] & 0xC0 == 0x80


def _plain_forms(value: bytes) -> Iterator[bytes]:
    """The value, and a multi-line one as other systems, editors and shells print it."""
    unix = value.replace(b"\r\n", b"\n")
    yield value.strip(b"\r\n")
    for line_break in (b"\n", b"\r\n", b" ", b""):
        yield unix.strip(b"\n").replace(b"\n", line_break)


def _lines(value: bytes) -> Iterator[bytes]:
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        # "-----BEGIN PRIVATE KEY-----" is no secret, and every key has it.
        yield from (
            line for line in lines if len(line) >= MIN_LINE_CHARACTERS and not line.startswith(b"-----")
        )


def _base64_forms(value: bytes) -> Iterator[bytes]:
    """The value's base64 wherever it lies in what was encoded: in each of three shifts.

    Of a character that the value shares with its neighbour nothing can be known, so it is left as it is.
    """
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + value)
        first_own_character = (0, 2, 3)[shift]
        whole_characters = (shift + len(value)) * 8 // 6
        inside = encoded[first_own_character:whole_characters]
        at_the_end = encoded[first_own_character:]
        for form in (inside, at_the_end, at_the_end.rstrip(b"=")):
            yield form
            yield form.translate(_URL_SAFE)


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _url_forms(value: bytes) -> Iterator[bytes]:
    """As Python, JavaScript (`encodeURIComponent`, `encodeURI` of a path) and Java write it."""
    quoted = [quote(value, safe=safe) for safe in ("", "/", _SAFE_IN_JAVASCRIPT, f"{_SAFE_IN_JAVASCRIPT}/")]
    java = quote_plus(value, safe="*").replace("~", "%7E")
    for form in (*quoted, quote_plus(value), java):
        yield form.encode()
        yield _with_lower_case_escapes(form).encode()


_SAFE_IN_JAVASCRIPT = "!'()*"


def _with_lower_case_escapes(form: str) -> str:
    first, *others = form.split("%")
    return "%".join([first, *(other[:2].lower() + other[2:] for other in others)])


def _json_forms(text: str) -> Iterator[str]:
    for ensure_ascii in (True, False):
        escaped = json.dumps(text, ensure_ascii=ensure_ascii)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
        yield _with_upper_case_escapes(escaped)
        # JSON inside JSON: a manifest printed in an error message.
        yield json.dumps(escaped, ensure_ascii=ensure_ascii)[1:-1]
    # Go's encoding/json also escapes what HTML would take for markup.
    yield json.dumps(text)[1:-1].translate({ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"})


def _with_upper_case_escapes(escaped: str) -> str:
    """As .NET and Java write `\\u00e4`."""
    first, *others = escaped.split("\\u")
    return "\\u".join([first, *(other[:4].upper() + other[4:] for other in others)])


def _shell_forms(text: str) -> Iterator[str]:
    yield shlex.quote(text).removeprefix("'").removesuffix("'")
    yield text.replace("'", "'\\''")
    yield "".join(f"\\{sign}" if sign in _SHELL_SPECIAL else sign for sign in text)
    yield "".join(f"\\{sign}" if sign in '$`"\\' else sign for sign in text)
    yield text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")


_SHELL_SPECIAL = frozenset(" \t!\"#$&'()*,;<>?[\\]^`{|}~")


def _xml_forms(text: str) -> Iterator[str]:
    escaped = html.escape(text)
    yield escaped
    yield html.escape(text, quote=False)
    yield escaped.replace("&#x27;", "&apos;")
    yield escaped.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
