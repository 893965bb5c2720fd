"""Keeps secrets out of a service's own logs, should a careless line carry one.

Known are the values of the service's own settings, and what came with the request that is being answered;
further what looks like a credential whoever it belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from flask import has_request_context, request

from c8s.logs.masking import mask_text, patterns_for

MASK = "***"
MIN_CREDENTIAL_CHARACTERS = 8
"""A shorter cookie or token would take words out of the line."""

_SECRET_SETTING = re.compile(r"(?:KEY|KEYS|TOKEN|PASSWORD|SECRET)\Z")
_SECRET_HEADERS = ("Authorization", "Proxy-Authorization", "X-Gitlab-Token", "X-Auth-Token")

# A JSON Web Token; tokens of GitHub and GitLab; what follows an authentication scheme; an address's password;
# the signature of a presigned S3 address.
_CREDENTIAL = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|\b(?:gh[oprsu]_|github_pat_|glpat-|gldt-)\w[\w-]{15,}"
    r"|(?<=\bbearer )[\w.~+/=-]{8,}|(?<=\bbasic )[\w+/=-]{8,}"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|(?<=X-Amz-Signature=)\w+",
    re.IGNORECASE,
)


class Scrubber:
    """Takes secrets out of texts. Threads may share it."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._patterns = patterns_for(value.encode() for value in values)

    def scrub(self, text: str) -> str:
        """The text with *** in place of each secret, in whatever encoding."""
        masked = mask_text(self._patterns, text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
        for credential in _credentials_of_request():
            masked = masked.replace(credential, MASK)
        return _CREDENTIAL.sub(MASK, masked)


def secrets_in(environment: Mapping[str, str]) -> Iterator[str]:
    """The values of all settings of c8s that are secrets by their name, and each of a list."""
    for name, value in environment.items():
        if name.startswith("C8S_") and _SECRET_SETTING.search(name):
            yield value.strip()
            yield from (part.strip() for part in value.split(","))


def _credentials_of_request() -> list[str]:
    """What the request that is being answered proves itself by, the longest first."""
    if not has_request_context():
        return []
    headers = [request.headers.get(name, "") for name in _SECRET_HEADERS]
    found = {*headers, *(header.partition(" ")[2].strip() for header in headers), *request.cookies.values()}
    return sorted((text for text in found if len(text) >= MIN_CREDENTIAL_CHARACTERS), key=len, reverse=True)
