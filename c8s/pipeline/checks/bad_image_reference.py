"""An image that no registry could have.

The grammar is that of https://github.com/distribution/reference, with an expression allowed wherever text is.
"""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.expressions import find_expressions
from c8s.pipeline.images import is_image_reference
from c8s.pipeline.outline import find_images
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source

_DIGEST = "sha256:" + 64 * "0"


def check(source: Source) -> Iterator[Finding]:
    for path, image in find_images(source):
        if not is_image_reference(_fill(image)):
            hint = "for example python:3.12 or registry.example/team/tool:1.0"
            yield Finding(path, f"{quote(image)} is not the name of an image", hint)


def _fill(image: str) -> str:
    """Return `image` with something harmless for every expression: what comes there is not known yet."""
    expressions = list(find_expressions(image))
    for expression in reversed(expressions):
        before = image[: expression.start]
        image = before + (_DIGEST if before.endswith("@") else "x") + image[expression.end :]
    return image
