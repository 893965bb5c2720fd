"""The environment of the hooks."""

from __future__ import annotations

import pytest

from c8s.objects.settings import PodSettings
from c8s.run.limits import Limits
from c8s.web.environment import SettingsError
from hooks.settings import Settings, read_settings

KEY = "a" * 32
APPROVAL_KEY = "b" * 32
REQUIRED = {"C8S_FREEZE_KEYS": KEY, "C8S_APPROVAL_KEYS": APPROVAL_KEY, "C8S_RUNNER_IMAGE": "c8s:1"}


def test_three_settings_are_enough() -> None:
    limits = Limits(600, 900, (APPROVAL_KEY,))
    assert read_settings(REQUIRED) == Settings((KEY,), PodSettings("c8s:1"), (), limits, "info")


def test_every_setting_is_read() -> None:
    environment = {
        "C8S_FREEZE_KEYS": f"{KEY},{KEY[::-1]}b",
        "C8S_APPROVAL_KEYS": f"{APPROVAL_KEY}, {APPROVAL_KEY}c",
        "C8S_RUNNER_IMAGE": "c8s:1",
        "C8S_URL": "https://c8s.example.com/",
        "C8S_PODS_API_URL": "http://api.c8s.svc/",
        "C8S_PRIORITY_CLASSES": "low, normal,high",
        "C8S_ALLOWED_HOSTS": "git.internal, 127.0.0.1:8443",
        "C8S_START_LIMIT_SECONDS": "30",
        "C8S_ARCHIVE_LIMIT_SECONDS": "60",
        "C8S_LOG_LEVEL": "debug",
    }
    assert read_settings(environment) == Settings(
        (KEY, f"{KEY}b"),
        PodSettings("c8s:1", "https://c8s.example.com", "http://api.c8s.svc", ("low", "normal", "high"), 30),
        ("git.internal", "127.0.0.1:8443"),
        Limits(30, 60, (APPROVAL_KEY, f"{APPROVAL_KEY}c")),
        "debug",
    )


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(
            {
                "C8S_FREEZE_KEYS": f"{KEY},short",
                "C8S_START_LIMIT_SECONDS": "soon",
                "C8S_PRIORITY_CLASSES": "low,high",
            }
        )
    named = [problem.split()[0] for problem in caught.value.problems]
    assert named == [
        "C8S_FREEZE_KEYS",
        "C8S_START_LIMIT_SECONDS",
        "C8S_APPROVAL_KEYS",
        "C8S_RUNNER_IMAGE",
        "C8S_PRIORITY_CLASSES",
    ]
    assert "short" not in str(caught.value).replace("shorter", "")


def test_keys_are_not_shown() -> None:
    told = repr(read_settings(REQUIRED))
    assert KEY not in told
    assert APPROVAL_KEY not in told
