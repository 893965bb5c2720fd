"""The dashboard's login in a cookie: the token, sealed, so that a stolen cookie is no token for the cluster.

Why it is sealed and not only signed: docs/decisions/0006-the-dashboards-cookie-is-sealed.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

import orjson
from cryptography.fernet import Fernet, InvalidToken
from flask import Response

SESSION_SECONDS = 12 * 3600
# Browsers drop a cookie over 4,096 bytes; sealing adds a third and some.
MAX_TOKEN_CHARACTERS = 2_800


@dataclass(frozen=True, slots=True)
class Session:
    """A logged-in browser. `csrf` must come back with every form."""

    token: str = field(repr=False)
    user: str
    csrf: str = field(repr=False)

    def accepts(self, csrf: str) -> bool:
        """Whether a form was made for this session."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())


class Sessions:
    """Seals sessions into cookies and opens them; `key` is `C8S_SESSION_KEY`."""

    def __init__(self, key: str, *, is_https: bool) -> None:
        digest = hashlib.sha256(b"c8s dashboard session\n" + key.encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))
        self.is_https = is_https
        # With the prefix no other host of the domain can set it.
        self.cookie_name = "__Host-c8s_session" if is_https else "c8s_session"

    def start(self, response: Response, token: str, user: str) -> None:
        """Log the browser in."""
        content = {"token": token, "user": user, "csrf": secrets.token_urlsafe(24)}
        self._set_cookie(response, self._fernet.encrypt(orjson.dumps(content)).decode(), SESSION_SECONDS)

    def end(self, response: Response) -> None:
        """Log the browser out."""
        self._set_cookie(response, "", 0)

    def open(self, cookie: str | None) -> Session | None:
        """The session of a request's cookie; None when there is none, it is too old, or not ours."""
        if not cookie:
            return None
        try:
            content = orjson.loads(self._fernet.decrypt(cookie.encode(), ttl=SESSION_SECONDS))
        except (InvalidToken, UnicodeEncodeError):
            return None
        return Session(**content)

    def _set_cookie(self, response: Response, value: str, seconds: int) -> None:
        response.set_cookie(
            self.cookie_name,
            value,
            max_age=seconds,
            path="/",
            secure=self.is_https,
            httponly=True,
            samesite="Strict",
        )
