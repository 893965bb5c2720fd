"""The REST routes of logs: one step's log in every form, and the search over a run's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request

from api.log_search import LogSearch, SearchWish, format_found
from api.permissions import Permissions, Viewer
from api.step_logs import StepAddress, StepLogs
from api.streams import StreamLimit, drop_when_stalled, recheck
from api.text_answers import LOG_HEADERS, TextWish, answer_text, name_file
from api.websockets import answer_websocket, check_websocket_request
from c8s.logs.search import PatternError, compile_pattern
from c8s.logs.slices import Slice
from c8s.web.errors import BadRequest
from c8s.web.limits import read_integer_argument
from c8s.web.log_arguments import read_slice, read_switch

MAX_MATCHES_DEFAULT = 1000
MAX_MATCHES = 10_000
MAX_STEPS_ASKED = 100


@dataclass(frozen=True, slots=True)
class LogRoutes:
    """What the routes work with."""

    logs: StepLogs
    search: LogSearch
    permissions: Permissions
    streams: StreamLimit
    searches: StreamLimit
    now: Callable[[], datetime]

    def get_log(self, namespace: str, run: str, step: str) -> Response:
        viewer = self._require(namespace, run)
        address = StepAddress(namespace, run, step, viewer.token, request.args.get("uid", ""))
        wanted = read_slice(self.now())
        if not _wants_events():
            file_name = name_file(run, step) if "download" in request.args else ""
            wish = TextWish(wanted, read_switch("timestamps", True), file_name)
            return answer_text(self.logs.open_text(address, wanted), wish, self.streams.enter)
        events = self._open_events(viewer, address, wanted)
        return Response(events, content_type="text/event-stream", headers=LOG_HEADERS)

    def talk_log(self, namespace: str, run: str, step: str) -> Response:
        """The events over WebSocket."""
        viewer = self._require(namespace, run)
        check_websocket_request()
        address = StepAddress(namespace, run, step, viewer.token, request.args.get("uid", ""))
        return answer_websocket(self._open_events(viewer, address, read_slice(self.now())))

    def search_logs(self, namespace: str, run: str) -> Response:
        viewer = self._require(namespace, run)
        wish = _read_search_wish()
        address = StepAddress(namespace, run, "", viewer.token, request.args.get("uid", ""))
        found = self.searches.enter(format_found(self.search.run(address, wish)))
        return Response(found, content_type="application/jsonl", headers=LOG_HEADERS)

    def _open_events(self, viewer: Viewer, address: StepAddress, wanted: Slice) -> Iterator[bytes]:
        """The events while the viewer may see them, in a place among the streams."""
        last_id = request.headers.get("Last-Event-ID") or request.args.get("lastEventId", "")
        events = self.logs.open_events(address, last_id, wanted)
        allowed = self.permissions.keep_requiring(
            viewer, "get", address.namespace, address.run, subresource="log"
        )
        return self.streams.enter(recheck(events, allowed))

    def _require(self, namespace: str, run: str) -> Viewer:
        drop_when_stalled()
        return self.permissions.require("get", namespace, run, subresource="log")


def create_log_blueprint(routes: LogRoutes) -> Blueprint:
    """Each route asks for permission first."""
    blueprint = Blueprint("logs", __name__, url_prefix="/api/v1/namespaces/<namespace>/runs/<run>")
    blueprint.add_url_rule("/steps/<step>/log", "get_log", routes.get_log)
    blueprint.add_url_rule("/steps/<step>/log", "talk_log", routes.talk_log, websocket=True)
    blueprint.add_url_rule("/search", "search_logs", routes.search_logs)
    return blueprint


def _read_search_wish() -> SearchWish:
    """The query of a search. Raises `BadRequest`."""
    steps = request.args.getlist("step")
    if len(steps) > MAX_STEPS_ASKED:
        raise BadRequest(f"at most {MAX_STEPS_ASKED} steps can be named", field="step")
    ignore_case = read_switch("ignoreCase", False)
    try:
        pattern = compile_pattern(request.args.get("pattern", ""), ignore_case=ignore_case)
    except PatternError as error:
        hint = "the syntax is RE2's: no look-around, no references back"
        raise BadRequest(str(error), field="pattern", hint=hint) from error
    limit = read_integer_argument("limit", MAX_MATCHES_DEFAULT, minimum=1, maximum=MAX_MATCHES)
    return SearchWish(pattern, frozenset(steps), limit)


def _wants_events() -> bool:
    return request.accept_mimetypes.best_match(["text/plain", "text/event-stream"]) == "text/event-stream"
