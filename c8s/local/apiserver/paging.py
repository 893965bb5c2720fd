"""Pages of lists, and the tokens that lead from one to the next."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import orjson

from c8s.local.apiserver.errors import bad_request
from c8s.local.apiserver.object_table import Key
from c8s.local.apiserver.subscriptions import Stored


@dataclass(frozen=True, slots=True)
class Page:
    """Objects of a list in the stored shape, the version to watch from, and the token of the next page
    ("" = last)."""

    items: list[Stored]
    version: int
    continue_token: str = ""
    remaining: int = 0


def make_continue_token(version: int, last: Key) -> str:
    """Opaque text that says which version the list shows and after which object it goes on."""
    return base64.urlsafe_b64encode(orjson.dumps([version, last.namespace, last.name])).decode()


def read_continue_token(token: str) -> tuple[int, tuple[str, str]]:
    """(version, (namespace, name)); a 400 for text that isn't such a token."""
    try:
        version, namespace, name = orjson.loads(base64.urlsafe_b64decode(token))
        return int(version), (str(namespace), str(name))
    except (ValueError, TypeError, binascii.Error) as error:
        raise bad_request("continue key is not valid") from error
