"""Every form of a secret that security asks for, made by the usual tools rather than by our own code."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import shlex
import textwrap
import urllib.parse
from collections.abc import Callable

import pytest

from c8s.logs.encodings import MAX_WHOLE_BYTES, forms_of, is_maskable
from c8s.logs.masking import mask_text, patterns_for

VALUE = "pässw<ö>rd & \"so\" 'on'/+~$HOME"
RAW = VALUE.encode()
KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    + "\n".join(textwrap.wrap("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 6, 64))
    + "\n-----END PRIVATE KEY-----\n"
)


def quote_in_lower_case(text: str) -> bytes:
    quoted = urllib.parse.quote(text, safe="")
    return re.sub("%..", lambda escape: escape[0].lower(), quoted).encode()


FORMS = {
    "raw": RAW,
    "base64": base64.b64encode(RAW),
    "base64 without padding": base64.b64encode(RAW).rstrip(b"="),
    "base64 for URLs": base64.urlsafe_b64encode(RAW),
    "base64 for URLs without padding": base64.urlsafe_b64encode(RAW).rstrip(b"="),
    "base64 wrapped at 76": base64.encodebytes(RAW * 9),
    "hex": binascii.hexlify(RAW),
    "hex in capitals": binascii.hexlify(RAW).upper(),
    "URL-encoded": urllib.parse.quote(VALUE, safe="").encode(),
    "URL-encoded with slashes": urllib.parse.quote(VALUE).encode(),
    "URL-encoded, lower case": quote_in_lower_case(VALUE),
    "URL-encoded by JavaScript": urllib.parse.quote(VALUE, safe="!'()*~").encode(),
    "form-encoded": urllib.parse.urlencode({"": VALUE}).encode()[1:],
    "JSON": json.dumps(VALUE)[1:-1].encode(),
    "JSON in UTF-8": json.dumps(VALUE, ensure_ascii=False)[1:-1].encode(),
    "JSON of .NET": re.sub(r"\\u....", lambda escape: "\\u" + escape[0][2:].upper(), json.dumps(VALUE))[
        1:-1
    ].encode(),
    "JSON in JSON": json.dumps(json.dumps(VALUE))[3:-3].encode(),
    "shell-quoted": shlex.quote(VALUE).encode()[1:-1],
    "shell-traced": VALUE.replace("'", "'\\''").encode(),
    "XML": html.escape(VALUE).encode(),
    "reversed": VALUE[::-1].encode(),
    "bytes reversed": RAW[::-1],
}


@pytest.mark.parametrize("name", FORMS)
def test_form_is_masked_whole(name: str) -> None:
    secret = RAW * 9 if "wrapped" in name else RAW
    masked = mask_text(patterns_for([secret]), b"<" + FORMS[name] + b">")
    assert masked.replace(b"\n", b"").replace(b"***", b"") == b"<>"


@pytest.mark.parametrize("prefix", [b"user:", b"usr:", b"me:", b"u:"])
def test_base64_at_every_shift_is_masked(prefix: bytes) -> None:
    header = base64.b64encode(prefix + RAW)
    masked = mask_text(patterns_for([RAW]), header)
    left = len(masked) - len(b"***")
    # What is left encodes the prefix, and at most one character at each end that mixes in a few bits.
    assert left <= len(base64.b64encode(prefix)) + 1


@pytest.mark.parametrize(
    "printed",
    [KEY, KEY.replace("\n", "\r\n"), KEY.replace("\n", " "), json.dumps(KEY)[1:-1], KEY.strip()],
    ids=["whole", "CRLF", "spaces", "JSON", "without the last line break"],
)
def test_multi_line_value_is_masked(printed: str) -> None:
    masked = mask_text(patterns_for([KEY.encode()]), printed.encode())
    assert not set(masked) - set(b"*\r\n \\n")


def test_indented_key_is_masked_line_by_line() -> None:
    masked = mask_text(patterns_for([KEY.encode()]), textwrap.indent(KEY, "    ").encode())
    assert b"MIIE" not in masked


@pytest.mark.parametrize("value", [b"", b"abc", b"abc\n", b"\n\n\n\n\n", "äöü".encode()])
def test_short_value_is_refused(value: bytes) -> None:
    assert (is_maskable(value), forms_of(value)) == (False, frozenset())


def test_binary_value_has_forms() -> None:
    value = bytes(range(128, 160))
    assert {value, base64.b64encode(value), value.hex().encode()} <= forms_of(value)


def test_no_form_is_short_or_blank() -> None:
    values = [b"abcd", b"a b\n", b"1234\n5678", "äöüß".encode(), b"    x"]
    assert not [form for value in values for form in forms_of(value) if len(form) < 4 or not form.strip()]


def test_long_value_is_masked_in_pieces() -> None:
    value = bytes(33 + number * number % 89 for number in range(3 * MAX_WHOLE_BYTES))
    assert mask_text(patterns_for([value]), b"<" + value + b">") == b"<***>"
    assert max(len(form) for form in forms_of(value)) < 4 * MAX_WHOLE_BYTES


@pytest.mark.parametrize("encode", [urllib.parse.quote, json.dumps, bytes.hex, base64.b64encode])
def test_encoded_long_value_is_masked(encode: Callable[[object], str | bytes]) -> None:
    text = "ä/<" * MAX_WHOLE_BYTES
    printed = encode(text.encode() if encode in (bytes.hex, base64.b64encode) else text)
    masked = mask_text(
        patterns_for([text.encode()]), printed if isinstance(printed, bytes) else printed.encode()
    )
    assert masked.strip(b'"') == b"***"
