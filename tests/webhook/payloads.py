"""GitHub's payloads, cut to what is read, and their signatures."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = {
    "id": 1,
    "clone_url": "https://github.com/team/web.git",
    "ssh_url": "git@github.com:team/web.git",
    "html_url": "https://github.com/team/web",
}
SENDER = {"login": "octocat", "id": 583231}


def push(**changes: Any) -> dict[str, Any]:
    return {
        "ref": "refs/heads/feature/a",
        "after": COMMIT,
        "deleted": False,
        "head_commit": {
            "id": COMMIT,
            "message": "Add a\n\nBecause",
            "author": {"name": "Grace", "username": "grace", "email": "grace@example.com"},
        },
        "repository": REPOSITORY,
        "sender": SENDER,
        **changes,
    }


def pull_request(**changes: Any) -> dict[str, Any]:
    return {
        "action": "opened",
        "pull_request": {
            "number": 7,
            "title": "Fix the typo",
            "user": {"login": "mallory", "id": 666},
            "head": {
                "ref": "patch-1",
                "sha": COMMIT,
                "repo": {"id": 2, "clone_url": "https://github.com/mallory/web.git"},
            },
            "base": {"ref": "main", "repo": {"id": 1}},
        },
        "repository": REPOSITORY,
        "sender": SENDER,
        **changes,
    }


def sign(body: bytes, secret: bytes) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
