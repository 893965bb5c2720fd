"""Credentials from Secrets, and how they stay unseen."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from c8s.adapters.git_credentials import Credentials, parse_secret, read_credentials
from c8s.adapters.git_errors import BadCredentials

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"


def make_secret(**values: str) -> dict[str, object]:
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}


@pytest.mark.parametrize(
    ("values", "credentials"),
    [
        ({"token": "t\n"}, Credentials("", "t")),
        ({"username": "ada\n", "password": "p\r\n"}, Credentials("ada", "p")),
        ({"username": "ada", "token": "t", "password": "p"}, Credentials("ada", "t")),
        ({"ssh-key": KEY, "known_hosts": "h"}, Credentials(ssh_key=KEY + "\n", known_hosts="h")),
        ({"ssh-privatekey": KEY + "\n\n"}, Credentials(ssh_key=KEY + "\n")),
    ],
)
def test_secret_and_folder_say_the_same(
    values: dict[str, str], credentials: Credentials, tmp_path: Path
) -> None:
    for key, value in values.items():
        (tmp_path / key).write_bytes(value.encode())

    assert parse_secret(make_secret(**values)) == credentials
    assert read_credentials(tmp_path) == credentials


@pytest.mark.parametrize(
    "secret",
    [
        {},
        {"data": None},
        make_secret(username="ada"),
        make_secret(token="t\npath=/etc"),
        make_secret(token="t\x00"),
        make_secret(token="t" * 70_000),
        {"data": {"token": "not base64!"}},
        {"data": {"token": "/w=="}},
    ],
)
def test_unusable_secret_is_refused(secret: dict[str, object]) -> None:
    with pytest.raises(BadCredentials) as caught:
        parse_secret(secret)
    assert "path=/etc" not in str(caught.value)


def test_values_stay_out_of_repr() -> None:
    assert repr(Credentials("ada", "canary", "canary", "canary")) == "Credentials(username='ada')"


def test_token_gets_the_user_its_server_wants() -> None:
    token = Credentials(password="t")

    assert token.user_for("github.com") == "x-access-token"
    assert token.user_for("bitbucket.org") == "x-token-auth"
    assert Credentials("ada", "t").user_for("bitbucket.org") == "ada"
