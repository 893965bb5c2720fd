"""`GET /metrics`: what a service counts, in Prometheus' text format.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from flask import Blueprint, Flask, Response, g, request

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]
Gauges = Callable[[], Mapping[str, float]]
"""Values as they are now, by name."""


class RequestCounts:
    """Counts requests by method, route and status, and the time until their answers began."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._lock = threading.Lock()
        self._requests: defaultdict[Labels, int] = defaultdict(int)
        self._seconds: defaultdict[Labels, float] = defaultdict(float)

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        labels = (("method", method), ("route", route))
        with self._lock:
            self._requests[(*labels, ("status", str(status)))] += 1
            self._seconds[labels] += seconds

    def render(self) -> str:
        with self._lock:
            requests, seconds = dict(self._requests), dict(self._seconds)
        return _render_family(
            f"{self._prefix}_requests_total", "Requests answered", requests
        ) + _render_family(f"{self._prefix}_request_seconds_total", "Time until the answers began", seconds)


def install_request_counts(app: Flask, counts: RequestCounts) -> None:
    """Count every request of `app`; those without a route together, whatever they ask for."""

    @app.before_request
    def start_count() -> None:
        g.count_started = time.monotonic()

    @app.after_request
    def count_request(response: Response) -> Response:
        rule = request.url_rule
        route, method = (rule.rule, request.method) if rule else ("none", "any")
        seconds = time.monotonic() - g.get("count_started", time.monotonic())
        counts.add(method, route, response.status_code, seconds)
        return response


def create_metrics_blueprint(
    counts: RequestCounts, gauges: Gauges, require: Callable[[], object]
) -> Blueprint:
    """The route; `require` raises when the asker may not see it."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def show_metrics() -> Response:
        require()
        return Response(counts.render() + render_gauges(gauges()), content_type=CONTENT_TYPE)

    return blueprint


def is_asked_from_here() -> bool:
    """Whether a program of this machine, or of this pod, asks; a proxy says for whom it does."""
    passed_on = {"Forwarded", "X-Forwarded-For", "Via"} & set(request.headers.keys())
    return request.remote_addr in ("127.0.0.1", "::1") and not passed_on


def render_gauges(gauges: Mapping[str, float]) -> str:
    return "".join(f"# TYPE {name} gauge\n{name} {value:.15g}\n" for name, value in gauges.items())


def _render_family(name: str, help_text: str, values: Mapping[Labels, float]) -> str:
    lines = [f"# HELP {name} {help_text}", f"# TYPE {name} counter"]
    lines += [f"{name}{{{_render_labels(labels)}}} {value:.15g}" for labels, value in sorted(values.items())]
    return "\n".join(lines) + "\n"


def _render_labels(labels: Iterable[tuple[str, str]]) -> str:
    return ",".join(f'{name}="{_escape(value)}"' for name, value in labels)


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
