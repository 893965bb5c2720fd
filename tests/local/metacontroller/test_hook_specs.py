import pytest

from c8s.local.metacontroller.errors import InvalidController
from c8s.local.metacontroller.hook_specs import HookSpec, parse_go_duration, parse_hook, resolve_service

SERVICES = {"hooks.c8s-system": "http://127.0.0.1:8123"}


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        ("http://hooks.c8s-system:8080/run/sync?rev=1", "http://127.0.0.1:8123/run/sync?rev=1"),
        ("http://hooks.c8s-system.svc.cluster.local/run/sync", "http://127.0.0.1:8123/run/sync"),
        ("http://hooks.c8s-system.example.com/run", "http://hooks.c8s-system.example.com/run"),
        ("http://other.c8s-system/run", "http://other.c8s-system/run"),
    ],
)
def test_resolves_hosts_of_services(url: str, resolved: str):
    assert resolve_service(url, SERVICES) == resolved


def test_service_and_path_make_url():
    written = {
        "version": "v2",
        "webhook": {
            "service": {"name": "hooks", "namespace": "c8s-system", "port": 8080},
            "path": "/run/sync",
            "timeout": "1m30s",
        },
    }
    assert parse_hook(written, SERVICES) == HookSpec(
        "http://127.0.0.1:8123/run/sync", "v2", 90.0, is_strict=True
    )


def test_v1_defaults_are_loose():
    assert parse_hook({"webhook": {"url": "http://a.b/c"}}, {}) == HookSpec("http://a.b/c", "v1", 10.0, False)


def test_mode_overrules_version():
    written = {"webhook": {"url": "http://a.b/c", "responseUnMarshallMode": "strict", "timeout": "0s"}}
    assert parse_hook(written, {}) == HookSpec("http://a.b/c", "v1", 10.0, is_strict=True)


@pytest.mark.parametrize(
    "webhook", [{"path": "/a"}, {"service": {"name": "a"}, "path": "/"}, {"timeout": "10"}]
)
def test_incomplete_webhook_is_invalid(webhook: dict[str, object]):
    with pytest.raises(InvalidController):
        parse_hook({"webhook": webhook}, {})


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("1h2m", 3720), ("150ms", 0.15), ("-1s", -1)])
def test_reads_go_durations(text: str, seconds: float):
    assert parse_go_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "s", "1 s", "1x"])
def test_refuses_other_durations(text: str):
    with pytest.raises(ValueError, match="no duration"):
        parse_go_duration(text)
