"""A client of c8s's own API, for the command line.

client = ApiClient("https://c8s.example.com", token)
run = client.create_run("team", {"repositoryConnectionRef": {"name": "web"}, "branch": "main"})
for line in client.stream_log("team", run["name"], "test"):
    print(line.text)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import orjson
import requests
from urllib3.exceptions import HTTPError

from c8s.adapters.artifact_download import ArtifactDownload
from c8s.adapters.event_stream import EventTooLarge, ServerEvent, parse_events
from c8s.adapters.http_arrivals import read_arrivals
from c8s.adapters.log_lines import (
    WHOLE_LOG,
    FoundLine,
    LogLine,
    LogPart,
    SearchEnd,
    parse_found,
    parse_log_event,
    parse_log_text,
)

Run = dict[str, Any]
"""`{"namespace","name","uid","createdAt","spec":{…},"status":{…}}`"""

CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 30.0
# A heartbeat comes every 5 s; after three missed ones the connection is dead.
STREAM_SILENCE_SECONDS = 16.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_FOUND_LINES = 10_000
RECONNECT_LIMIT = 10
"""Failures in a row after which a log is given up; a line that comes starts the count anew."""


class ApiError(Exception):
    """The API refused, or could not be asked.

    ApiError              the API's answer: `status`, `reason`, `message`, `hint`
    └── ApiUnreachable    no answer; `status` is 0
    """

    def __init__(self, message: str, *, status: int = 0, reason: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason
        self.hint = hint


class ApiUnreachable(ApiError):
    """Nobody answered, or not to the end."""


class ApiClient:
    """Calls the API at `url` with a bearer token. Every method raises `ApiError`.

    `ca_file` is a PEM file to trust instead of the system's. `sleep` waits between two tries of a log stream.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        ca_file: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._sleep = sleep
        self._session = requests.Session()
        self._session.headers.update({"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
        # A netrc entry would silently replace the token, a proxy variable would send it elsewhere.
        self._session.trust_env = False
        if ca_file:
            self._session.verify = ca_file

    def list_runs(self, namespace: str, *, limit: int = 50, pipeline: str = "", phase: str = "") -> list[Run]:
        """The newest runs first."""
        query = {"limit": str(limit), "pipeline": pipeline, "phase": phase}
        answer = self._call("GET", _runs_path(namespace), query=query)
        runs: list[Run] = answer["runs"]
        return runs

    def get_run(self, namespace: str, run: str, *, uid: str = "") -> Run:
        """One run; with `uid` also one whose object is gone and whose record is kept."""
        return self._call("GET", _run_path(namespace, run), query={"uid": uid})

    def create_run(self, namespace: str, spec: dict[str, Any], *, name: str = "") -> Run:
        """Start a run from a PipelineRun's `spec`; without `name` the API chooses one."""
        body = {**spec, "name": name} if name else spec
        return self._call("POST", _runs_path(namespace), body=body)

    def cancel_run(self, namespace: str, run: str) -> Run:
        """Ask for the run's end. Asking twice is no error."""
        return self._call("POST", _run_path(namespace, run) + "/cancel")

    def rerun(self, namespace: str, run: str, *, scope: str = "failed", steps: Iterable[str] = ()) -> Run:
        """Start a run that repeats an ended one: `all`, what has `failed`, or these step instances.

        With what runs again runs all that depends on it.
        """
        body = {"scope": scope, "steps": list(steps)}
        return self._call("POST", _run_path(namespace, run) + "/rerun", body=body)

    def decide(self, namespace: str, run: str, step: str, *, decision: str) -> Run:
        """`approve` or `reject` a step instance that waits for people."""
        path = f"{_step_path(namespace, run, step)}/approval"
        return self._call("POST", path, body={"decision": decision})

    def get_artifacts(self, namespace: str, run: str, step: str, *, uid: str = "") -> dict[str, Any]:
        """The manifest of what a step kept, by the name of its log."""
        return self._call("GET", _step_path(namespace, run, step) + "/artifacts", query={"uid": uid})

    def download_artifacts(self, namespace: str, run: str, step: str, *, uid: str = "") -> ArtifactDownload:
        """The files that a step kept: a tar in Zstandard, as a stream that is to be closed."""
        path = _step_path(namespace, run, step) + "/artifacts/download"
        response = self._open("GET", path, {"uid": uid}, "application/zstd", READ_TIMEOUT_SECONDS)
        return ArtifactDownload(_pieces(response))

    def stream_log(
        self,
        namespace: str,
        run: str,
        step: str,
        *,
        follow: bool = True,
        uid: str = "",
        part: LogPart = WHOLE_LOG,
    ) -> Iterator[LogLine]:
        """The log of one step instance, line by line, from the beginning of `part` on.

        With `follow` it waits for a step that has not started, goes on where it was when the connection
        breaks, and ends with the step. Without, it gives what there is; a step without a log yet is an error.
        """
        path = f"{_step_path(namespace, run, step)}/log"
        query = {"uid": uid, **part.query}
        return self._follow_log(path, query) if follow else self._read_log(path, query)

    def search_logs(
        self, namespace: str, run: str, pattern: str, *, steps: Iterable[str] = (), uid: str = ""
    ) -> Iterator[FoundLine | SearchEnd]:
        """Lines of a run's logs that match a regular expression of RE2, in order, and then the end."""
        path = f"{_run_path(namespace, run)}/search"
        query: dict[str, str | list[str]] = {"pattern": pattern, "uid": uid, "limit": str(MAX_FOUND_LINES)}
        query["step"] = list(steps)
        response = self._open("GET", path, query, "application/jsonl", READ_TIMEOUT_SECONDS)
        return map(_parse_found, _split_lines(_pieces(response)))

    def _read_log(self, path: str, query: dict[str, str]) -> Iterator[LogLine]:
        response = self._open("GET", path, query, "text/plain", READ_TIMEOUT_SECONDS)
        for line in _split_lines(_pieces(response)):
            yield parse_log_text(line.decode("utf-8", "replace"))

    def _follow_log(self, path: str, query: dict[str, str]) -> Iterator[LogLine]:
        last_id, failures = "", 0
        while True:
            try:
                for event in self._open_events(path, query, last_id):
                    failures = 0
                    if event is not None and event.type == "end":
                        return
                    if event is not None and event.type == "line":
                        yield parse_log_event(event)
                        last_id = event.id
                raise ApiUnreachable("the log ended too early", hint="try again")
            except (ApiError, EventTooLarge, ValueError) as error:
                failures = _count_failure(error, failures)
            self._sleep(min(0.1 * 2**failures, 5.0))

    def _open_events(self, path: str, query: dict[str, str], last_id: str) -> Iterator[ServerEvent | None]:
        response = self._open(
            "GET", path, query, "text/event-stream", STREAM_SILENCE_SECONDS, last_id=last_id
        )
        return parse_events(_pieces(response))

    def _call(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: Any = None
    ) -> dict[str, Any]:
        response = self._open(method, path, query or {}, "application/json", READ_TIMEOUT_SECONDS, body=body)
        answer = _parse_object(_read_bounded(response))
        if answer is None:
            raise ApiUnreachable(
                f"{self._url} does not answer like the c8s API", hint="check the address in --api-url"
            )
        return answer

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | list[str]],
        accept: str,
        read_timeout_seconds: float,
        last_id: str = "",
        body: Any = None,
    ) -> requests.Response:
        headers = {"Accept": accept}
        if last_id:
            headers["Last-Event-ID"] = last_id
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = self._session.request(
                method,
                self._url + path,
                params={name: value for name, value in query.items() if value},
                data=None if body is None else orjson.dumps(body),
                headers=headers,
                timeout=(CONNECT_TIMEOUT_SECONDS, read_timeout_seconds),
                stream=True,
                # The token is for this host alone.
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise ApiUnreachable(
                f"the c8s API at {self._url} can't be reached",
                hint="is it running? check the address in --api-url, or start one by `c8s local up`",
            ) from error
        if not 200 <= response.status_code < 300:
            raise _read_error(response)
        return response


def _runs_path(namespace: str) -> str:
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/runs"


def _run_path(namespace: str, run: str) -> str:
    return f"{_runs_path(namespace)}/{quote(run, safe='')}"


def _step_path(namespace: str, run: str, step: str) -> str:
    return f"{_run_path(namespace, run)}/steps/{quote(step, safe='')}"


def _pieces(response: requests.Response) -> Iterator[bytes]:
    """The body as it arrives."""
    try:
        yield from read_arrivals(response.raw)
    except HTTPError as error:
        raise ApiUnreachable("the connection to the c8s API broke off", hint="try again") from error


def _split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _parse_found(text: bytes) -> FoundLine | SearchEnd:
    try:
        return parse_found(text)
    except (KeyError, TypeError, ValueError) as error:
        raise ApiUnreachable("the search's answer can't be read", hint="try again") from error


def _read_bounded(response: requests.Response) -> bytes:
    body = bytearray()
    for piece in _pieces(response):
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise ApiUnreachable("the c8s API's answer is too large", hint="ask for less with --limit")
    return bytes(body)


def _parse_object(text: bytes) -> dict[str, Any] | None:
    try:
        answer = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def _read_error(response: requests.Response) -> ApiError:
    error = (_parse_object(_read_bounded(response)) or {}).get("error") or {}
    return ApiError(
        error.get("message") or f"the c8s API answered {response.status_code}",
        status=response.status_code,
        reason=error.get("reason", ""),
        hint=error.get("hint", ""),
    )


def _count_failure(error: Exception, failures: int) -> int:
    """One more failure, unless trying again can't help: then the error is raised."""
    if isinstance(error, ApiError) and error.status not in (0, 429, 502, 503, 504):
        raise error
    if failures + 1 >= RECONNECT_LIMIT:
        raise error
    return failures + 1
