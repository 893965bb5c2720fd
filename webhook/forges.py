"""The forges whose webhooks are taken; the key is the route: `POST /webhooks/<key>`."""

from __future__ import annotations

from collections.abc import Mapping

from webhook.delivery import Forge
from webhook.github import GitHub

FORGES: Mapping[str, Forge] = {
    "github": GitHub(),
}
