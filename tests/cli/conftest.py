"""The verbs against the real API over HTTP."""

from __future__ import annotations

import pytest

from tests.adapters.test_api_client import Served, served

__all__ = ["served"]


@pytest.fixture
def connected(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The API that the environment names, as `ada`."""
    monkeypatch.setenv("C8S_API_URL", served.url)
    monkeypatch.setenv("C8S_TOKEN", "token-a")
    monkeypatch.setenv("C8S_NAMESPACE", "default")
    return served
