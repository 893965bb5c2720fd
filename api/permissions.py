"""Who is asking, and may they: the request's token held against the cluster's RBAC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import request

from api.sessions import Session, Sessions
from c8s.adapters.cluster import PIPELINE_CONFIGS, PIPELINE_RUNS
from c8s.web.authorization import Access, Authorizer, PathAccess, User, parse_bearer_token
from c8s.web.metrics import is_asked_from_here

METRICS_PATH = "/metrics"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Someone who was just allowed what they asked for."""

    user: User
    token: str = field(repr=False)


class Permissions:
    """Asks the cluster for every request. A cookie is taken for reading only; forms check it themselves."""

    def __init__(self, authorizer: Authorizer, sessions: Sessions) -> None:
        self.authorizer = authorizer
        self._sessions = sessions

    def session(self) -> Session | None:
        """The session of this request's cookie."""
        return self._sessions.open(request.cookies.get(self._sessions.cookie_name))

    def require(self, verb: str, namespace: str, name: str = "", subresource: str = "") -> Viewer:
        """The viewer, who may do this to PipelineRuns. Raises `Unauthenticated`, `NotAllowed` or `Busy`."""
        return self.require_of(self._read_token(), verb, namespace, name, subresource)

    def require_of(
        self, token: str, verb: str, namespace: str, name: str = "", subresource: str = ""
    ) -> Viewer:
        """As `require`, of whoever has this token: for forms, which have checked where it comes from."""
        user = self.authorizer.authorize(token, access_to_runs(verb, namespace, name, subresource))
        return Viewer(user, token)

    def keep_requiring(
        self, viewer: Viewer, verb: str, namespace: str, name: str, *, subresource: str = ""
    ) -> Callable[[], object]:
        """A question to ask again while a stream lasts; it raises when the answer has become no."""
        access = access_to_runs(verb, namespace, name, subresource)
        return lambda: self.authorizer.authorize(viewer.token, access)

    def require_metrics(self) -> None:
        """Lets programs of this machine see what is counted, and who may `get` `/metrics` in the cluster."""
        if not is_asked_from_here():
            token = parse_bearer_token(request.headers.get("Authorization"))
            self.authorizer.authorize(token, PathAccess("get", METRICS_PATH))

    def may(self, viewer: Viewer, verb: str, namespace: str, name: str = "", subresource: str = "") -> bool:
        """Whether the viewer may also do this."""
        return self.authorizer.is_allowed(viewer.user, access_to_runs(verb, namespace, name, subresource))

    def may_list_configs(self, viewer: Viewer, namespace: str) -> bool:
        """Whether the viewer may see the namespace's PipelineConfigs."""
        return self.authorizer.is_allowed(viewer.user, Access("list", PIPELINE_CONFIGS.plural, namespace))

    def _read_token(self) -> str:
        token = parse_bearer_token(request.headers.get("Authorization"))
        if token or request.method not in ("GET", "HEAD"):
            return token
        session = self.session()
        return session.token if session else ""


def access_to_runs(verb: str, namespace: str, name: str = "", subresource: str = "") -> Access:
    """The wish to do `verb` to PipelineRuns."""
    return Access(verb, PIPELINE_RUNS.plural, namespace, name, subresource)
