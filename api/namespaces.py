"""The first page: which namespaces have runs, and how they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from api.run_view import RunView, show_run
from c8s.adapters.cluster import Object


@dataclass(frozen=True, slots=True)
class NamespaceView:
    """A namespace with its newest run and what goes on there."""

    name: str
    newest: RunView
    run_count: int
    active_count: int


def list_namespaces(
    runs: Iterable[Object], may_see: Callable[[str], bool], now: datetime
) -> list[NamespaceView]:
    """The namespaces of `runs` (newest first) that the viewer may see, by name."""
    by_namespace: dict[str, list[Object]] = {}
    for run in runs:
        by_namespace.setdefault(run["metadata"]["namespace"], []).append(run)
    return [_summarise(name, by_namespace[name], now) for name in sorted(by_namespace) if may_see(name)]


def _summarise(name: str, runs: list[Object], now: datetime) -> NamespaceView:
    views = [show_run(run, now) for run in runs]
    return NamespaceView(name, views[0], len(views), sum(not view.is_finished for view in views))
