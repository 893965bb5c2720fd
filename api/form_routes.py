"""The dashboard's forms: each does what the REST route of that name does, and asks for the same rights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Response, make_response, redirect, request, url_for

from api.approvals import Approvals, parse_decision
from api.forms import get_meant_run, require_session
from api.permissions import Permissions
from api.reruns import build_rerun, parse_rerun
from api.runs import Runs
from api.sessions import Sessions


@dataclass(frozen=True, slots=True)
class FormRoutes:
    """A form's session says who acts; the cluster is asked for each action."""

    runs: Runs
    permissions: Permissions
    sessions: Sessions
    approvals: Approvals
    now: Callable[[], datetime]

    def logout(self) -> Response:
        self._open_form()
        response = make_response(redirect(url_for("dashboard.login"), 303))
        self.sessions.end(response)
        return response

    def cancel(self, namespace: str, run: str) -> Response:
        token = self._open_form()
        self.permissions.require_of(token, "patch", namespace, run)
        get_meant_run(self.runs, namespace, run)
        self.runs.cancel(namespace, run)
        return _lead_to(namespace, run)

    def rerun(self, namespace: str, run: str) -> Response:
        token = self._open_form()
        self.permissions.require_of(token, "get", namespace, run)
        viewer = self.permissions.require_of(token, "create", namespace)
        body = {"scope": request.form.get("scope", ""), "steps": request.form.getlist("step")}
        spec = build_rerun(get_meant_run(self.runs, namespace, run), *parse_rerun(body))
        created = self.runs.create(namespace, "", spec, viewer.user.name, self.now())
        return _lead_to(namespace, created["metadata"]["name"])

    def decide(self, namespace: str, run: str, step: str) -> Response:
        token = self._open_form()
        self.permissions.require_of(token, "get", namespace, run)
        viewer = self.permissions.require_of(token, "update", namespace, run, subresource="approve")
        decision = parse_decision({"decision": request.form.get("decision", "")})
        uid = get_meant_run(self.runs, namespace, run)["metadata"]["uid"]
        self.approvals.decide(namespace, run, step, viewer.user, decision, uid=uid)
        return _lead_to(namespace, run)

    def _open_form(self) -> str:
        return require_session(self.permissions, is_https=self.sessions.is_https).token


def _lead_to(namespace: str, run: str) -> Response:
    return make_response(redirect(url_for("dashboard.run", namespace=namespace, run=run), 303))
