"""Metacontroller itself: starts and stops controllers as their objects come, change and go."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from c8s.adapters.cluster import COMPOSITE_CONTROLLERS, DECORATOR_CONTROLLERS, Object, Resource
from c8s.local.metacontroller.composite import CompositeController
from c8s.local.metacontroller.controller_specs import parse_composite, parse_decorator
from c8s.local.metacontroller.decorator import DecoratorController
from c8s.local.metacontroller.errors import InvalidController, NotSynced
from c8s.local.metacontroller.kinds import KindTable
from c8s.local.metacontroller.parent_controller import ParentController
from c8s.local.metacontroller.surroundings import Surroundings
from c8s.local.reconciling.event_recorder import EventRecorder
from c8s.local.reconciling.loop import Runner
from c8s.local.reconciling.object_cache import ObjectCache
from c8s.local.reconciling.work_queue import WorkQueue
from c8s.web.logs import log_event

log = logging.getLogger(__name__)

RESOURCES: tuple[Resource, ...] = (COMPOSITE_CONTROLLERS, DECORATOR_CONTROLLERS)


@dataclass(frozen=True, slots=True)
class _Running:
    """A controller, and the spec it was started with: changes of anything else don't restart it."""

    controller: ParentController
    written_spec: Object


class Metacontroller:
    """A `Reconciler` whose keys are controller objects, `Kind/name`; what it starts goes to `runner`."""

    name = "Metacontroller"

    def __init__(self, around: Surroundings, runner: Runner, *, workers: int = 5) -> None:
        self.queue = WorkQueue(around.clock)
        self._around = around
        self._runner = runner
        self._workers = workers
        self._kinds = KindTable(around.cluster)
        self._events = EventRecorder(around.cluster, "metacontroller", around.clock, around.wall_clock)
        self._running: dict[str, _Running] = {}
        self._caches: dict[str, ObjectCache] = {}

    @property
    def controllers(self) -> list[ParentController]:
        return [running.controller for running in self._running.values()]

    def start(self) -> None:
        for resource in RESOURCES:
            cache = self._around.caches.open(resource)
            self._caches[resource.kind] = cache
            cache.add_handler(self._on_change)

    def stop(self) -> None:
        """Stops all controllers; their timers are lost, their parents stay as they are."""
        for cache in self._caches.values():
            cache.remove_handler(self._on_change)
        for key in list(self._running):
            self._stop(key)
        self.queue.close()

    def sync(self, key: str) -> None:
        kind, name = key.split("/", 1)
        cache = self._caches[kind]
        if not cache.is_synced:
            raise NotSynced(cache.resource.plural)
        body = cache.get(name)
        running = self._running.get(key)
        if running is not None and (body is None or body["spec"] != running.written_spec):
            self._stop(key)
        if body is not None and key not in self._running:
            self._start(key, body)

    def _on_change(self, old: Object | None, new: Object | None) -> None:
        changed = new if new is not None else old
        if changed is not None:
            self.queue.add(f"{changed['kind']}/{changed['metadata']['name']}")

    def _start(self, key: str, body: Object) -> None:
        try:
            controller = self._make(key, body)
        except InvalidController as error:
            self._events.warn(body, "CreateError", str(error))
            raise
        self._running[key] = _Running(controller, body["spec"])
        controller.start()
        self._runner.start(controller, self._workers)
        log_event(log, "controller started", controller=controller.name)

    def _make(self, key: str, body: Object) -> ParentController:
        around, kinds, events = self._around, self._kinds, self._events
        if key.startswith(COMPOSITE_CONTROLLERS.kind):
            spec = parse_composite(body, kinds, around.services)
            return CompositeController(spec, COMPOSITE_CONTROLLERS.kind, around, kinds, events)
        spec = parse_decorator(body, kinds, around.services)
        return DecoratorController(spec, DECORATOR_CONTROLLERS.kind, around, kinds, events)

    def _stop(self, key: str) -> None:
        controller = self._running.pop(key).controller
        controller.stop()
        self._runner.stop(controller)
        log_event(log, "controller stopped", controller=controller.name)
