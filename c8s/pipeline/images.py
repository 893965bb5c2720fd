"""Names of container images, by the grammar of https://github.com/distribution/reference."""

from __future__ import annotations

import re

from c8s.pipeline import limits

_HOST_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"(?:{_HOST_LABEL}(?:\.{_HOST_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}"
_REFERENCE = re.compile(rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*(?::{_TAG})?(?:@(?:{_DIGEST}))?")


def is_image_reference(text: str) -> bool:
    """Say whether `text` can be the name of an image, such as `registry.example:5000/team/tool:1.0`."""
    return len(text) <= limits.IMAGE_CHARACTERS and _REFERENCE.fullmatch(text) is not None
