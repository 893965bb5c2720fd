from __future__ import annotations

import pytest

from c8s.web.environment import SettingsError, Variables


def test_all_problems_come_at_once() -> None:
    variables = Variables(
        {"C8S_URL": "ftp://host", "C8S_LIMIT": "1_000", "C8S_LOG_LEVEL": "loud", "C8S_KEY": "short"}
    )
    variables.url("C8S_URL")
    variables.integer("C8S_LIMIT", 5, minimum=1, maximum=9)
    variables.log_level()
    variables.secret("C8S_KEY", min_length=32)
    variables.text("C8S_NAME")

    with pytest.raises(SettingsError) as raised:
        variables.check()

    assert raised.value.problems == [
        "C8S_URL must be an address like https://c8s.example.com, without user or query",
        "C8S_LIMIT must be a whole number from 1 to 9, not '1_000'",
        "C8S_LOG_LEVEL must be one of debug, info, warning, error, not 'loud'",
        "C8S_KEY has 5 characters, at least 32 are needed: make one with `openssl rand -hex 32`",
        "C8S_NAME is not set: set it in the service's environment",
    ]


def test_empty_variable_counts_as_unset() -> None:
    variables = Variables({"C8S_S3_REGION": "  ", "C8S_ALLOWED_HOSTS": ""})

    assert variables.text("C8S_S3_REGION", "us-east-1") == "us-east-1"
    assert variables.words("C8S_ALLOWED_HOSTS") == ()
    variables.check()


@pytest.mark.parametrize(
    "address",
    [
        "http://user:pass@host",
        "https://host?token=1",
        "http://",
        "http://host:99999",
        "host:80",
        "https://[::1",
    ],
)
def test_doubtful_addresses_are_refused(address: str) -> None:
    variables = Variables({"C8S_URL": address})
    variables.url("C8S_URL")

    with pytest.raises(SettingsError, match="C8S_URL"):
        variables.check()


def test_secret_stays_out_of_messages() -> None:
    variables = Variables({"C8S_KEY": "hunter2"})
    variables.secret("C8S_KEY", min_length=32)

    with pytest.raises(SettingsError) as raised:
        variables.check()

    assert "hunter2" not in str(raised.value)
