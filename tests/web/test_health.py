from __future__ import annotations

from flask import Flask

from c8s.web.health import Check, create_health_blueprint


def create_app(**checks: Check) -> Flask:
    app = Flask(__name__)
    app.register_blueprint(create_health_blueprint(checks))
    return app


def fail() -> None:
    raise OSError("canary")


def test_ready_when_all_checks_pass() -> None:
    answer = create_app(kubernetes=lambda: None).test_client().get("/readyz")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok", "checks": {"kubernetes": "ok"}})


def test_failed_check_is_named_without_details() -> None:
    answer = create_app(kubernetes=lambda: None, objectStore=fail).test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json() == {
        "status": "unavailable",
        "checks": {"kubernetes": "ok", "objectStore": "failed"},
    }


def test_process_lives_though_not_ready() -> None:
    assert create_app(objectStore=fail).test_client().get("/healthz").status_code == 200
