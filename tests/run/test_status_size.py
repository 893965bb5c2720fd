"""A status that would be too large for the cluster's database says less."""

from __future__ import annotations

import json
from typing import Any

from c8s.run.limits import STATUS_BYTES
from c8s.run.status import fit_status


def make_status(steps: int, **texts: Any) -> dict[str, Any]:
    return {
        "phase": "Running",
        "steps": [{"name": f"unit-{n}", "phase": "Failed", **texts} for n in range(steps)],
    }


def size(status: dict[str, Any]) -> int:
    return len(json.dumps(status, ensure_ascii=False).encode())


def test_status_that_fits_stays() -> None:
    status = make_status(500, message="m" * 300)
    assert fit_status(status) is status


def test_messages_are_cut_and_nothing_else() -> None:
    status = make_status(500, message="€" * 300, outputs={"version": "1.2"})
    fitted = fit_status(status)
    assert fitted == make_status(500, message="€" * 119 + "…", outputs={"version": "1.2"})
    assert size(fitted) <= STATUS_BYTES < size(status)


def test_waiting_messages_are_cut_too() -> None:
    waiting = {"reason": "QuotaExceeded", "since": "2026-01-02T03:00:00Z"}
    fitted = fit_status(make_status(500, waiting={**waiting, "message": "€" * 300}, outputs={"o": "x" * 500}))
    assert fitted["steps"][0]["waiting"] == {**waiting, "message": "€" * 39 + "…"}
    assert size(fitted) <= STATUS_BYTES


def test_messages_go_where_nothing_else_helps() -> None:
    fitted = fit_status(make_status(500, message="m" * 300, outputs={"o": "x" * 850}))
    assert fitted == make_status(500, outputs={"o": "x" * 850})


def test_fitted_status_stays() -> None:
    fitted = fit_status(make_status(500, message="€" * 300))
    assert fit_status(fitted) is fitted
