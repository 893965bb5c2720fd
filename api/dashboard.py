"""The dashboard's routes: pages made on the server, for people with a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from api.namespaces import list_namespaces
from api.pages import check_form_is_ours, local_path
from api.permissions import Permissions, access_to_runs
from api.rest import read_phase, read_pipeline
from api.run_view import show_run
from api.runs import PHASES, Runs
from api.sessions import MAX_TOKEN_CHARACTERS, Sessions
from api.step_logs import is_archived
from api.step_view import StepView, show_stages, show_steps
from c8s.run.log_names import parse_log_name
from c8s.web.authorization import User
from c8s.web.errors import HttpProblem, Missing, NotAllowed, Unauthenticated
from c8s.web.limits import read_integer_argument

RUNS_A_PAGE = 50
MAX_RUNS_A_PAGE = 500

Page = str | Response


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What the pages are made from."""

    runs: Runs
    permissions: Permissions
    sessions: Sessions
    now: Callable[[], datetime]

    def login(self) -> Page | tuple[Page, int]:
        target = local_path(request.values.get("next", "/"))
        if request.method == "GET":
            return render_template("login.html", next=target)
        check_form_is_ours()
        token = request.form.get("token", "").strip()
        try:
            user = self._check_token(token)
        except HttpProblem as problem:
            return render_template("login.html", next=target, problem=problem), problem.status
        response = make_response(redirect(target, 303))
        self.sessions.start(response, token, user.name)
        return response

    def logout(self) -> Response:
        self._check_csrf()
        response = make_response(redirect(url_for("dashboard.login"), 303))
        self.sessions.end(response)
        return response

    def namespaces(self) -> Page:
        session = self.permissions.session()
        if session is None:
            raise Unauthenticated("this page needs a login")
        user = self.permissions.authorizer.authenticate(session.token)

        def may_see(namespace: str) -> bool:
            return self.permissions.authorizer.is_allowed(user, access_to_runs("list", namespace))

        wanted = request.args.get("namespace", "").strip()
        if wanted:
            return make_response(redirect(url_for("dashboard.run_list", namespace=wanted), 303))
        namespaces = list_namespaces(self.runs.list(""), may_see, self.now())
        return render_template("namespaces.html", namespaces=namespaces)

    def run_list(self, namespace: str) -> Page:
        self.permissions.require("list", namespace)
        limit = read_integer_argument("limit", RUNS_A_PAGE, minimum=1, maximum=MAX_RUNS_A_PAGE)
        phase, pipeline = read_phase(), read_pipeline()
        everything = [show_run(run, self.now()) for run in self.runs.list(namespace)]
        found = [run for run in everything if phase in ("", run.phase) and pipeline in ("", run.pipeline)]
        return render_template(
            "runs.html",
            namespace=namespace,
            runs=found[:limit],
            left_out=max(0, len(found) - limit),
            more=min(MAX_RUNS_A_PAGE, limit + RUNS_A_PAGE),
            is_filtered=bool(phase or pipeline),
            phases=PHASES,
            phase=phase,
            pipelines=sorted({run.pipeline for run in everything if run.pipeline}),
            pipeline=pipeline,
        )

    def run(self, namespace: str, run: str) -> Page:
        viewer = self.permissions.require("get", namespace, run)
        found = self.runs.get(namespace, run, request.args.get("uid", ""))
        view = show_run(found, self.now())
        may_cancel = not (view.is_finished or view.is_cancelling) and self.permissions.may(
            viewer, "patch", namespace, run
        )
        return render_template(
            "run.html",
            namespace=namespace,
            run=view,
            stages=show_stages(found, self.now()),
            may_cancel=may_cancel,
            is_archived=is_archived(found),
        )

    def cancel(self, namespace: str, run: str) -> Response:
        token = self._check_csrf()
        self.permissions.authorizer.authorize(token, access_to_runs("patch", namespace, run))
        self.runs.cancel(namespace, run)
        return make_response(redirect(url_for("dashboard.run", namespace=namespace, run=run), 303))

    def step(self, namespace: str, run: str, step: str) -> Page:
        self.permissions.require("get", namespace, run, subresource="log")
        found = self.runs.get(namespace, run, request.args.get("uid", ""))
        steps = show_steps(found, self.now())
        instance, attempt = parse_log_name(step)
        view = next((view for view in steps if view.name == instance and attempt <= len(view.logs)), None)
        if view is None:
            raise Missing(
                f"run {run} has no step {step[:80]}", hint="go back to the run: its page lists its steps"
            )
        return render_template(
            "step.html",
            namespace=namespace,
            run=show_run(found, self.now()),
            step=view,
            steps=steps,
            log=_choose_log(view, step),
        )

    def _check_token(self, token: str) -> User:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise Unauthenticated(
                "the token is too long for a browser's cookie",
                hint=f"take one of at most {MAX_TOKEN_CHARACTERS} characters",
            )
        return self.permissions.authorizer.authenticate(token)

    def _check_csrf(self) -> str:
        """The token of the session a form was made for. Raises `NotAllowed`."""
        check_form_is_ours()
        session = self.permissions.session()
        if session is None or not session.accepts(request.form.get("csrf", "")):
            raise NotAllowed(
                "the form is too old or not from here",
                reason="StaleForm",
                hint="load the page again and repeat what you did",
            )
        return session.token


def _choose_log(view: StepView, name: str) -> str:
    """The log on a step's page: the one that is named, by an instance's name alone the newest.

    So the first attempt, whose log has that name too, needs `?attempt=1`.
    """
    is_first = request.args.get("attempt") == "1"
    return name if name != view.name or is_first else view.logs[-1]


def create_dashboard_blueprint(
    runs: Runs, permissions: Permissions, sessions: Sessions, now: Callable[[], datetime]
) -> Blueprint:
    """The routes of the pages; every template knows `session`."""
    pages = Dashboard(runs, permissions, sessions, now)
    blueprint = Blueprint("dashboard", __name__)
    run = "/namespaces/<namespace>/runs/<run>"
    blueprint.add_url_rule("/", "namespaces", pages.namespaces)
    blueprint.add_url_rule("/login", "login", pages.login, methods=["GET", "POST"])
    blueprint.add_url_rule("/logout", "logout", pages.logout, methods=["POST"])
    blueprint.add_url_rule("/namespaces/<namespace>", "run_list", pages.run_list)
    blueprint.add_url_rule(run, "run", pages.run)
    blueprint.add_url_rule(f"{run}/cancel", "cancel", pages.cancel, methods=["POST"])
    blueprint.add_url_rule(f"{run}/steps/<step>", "step", pages.step)
    blueprint.app_context_processor(lambda: {"session": permissions.session()})
    return blueprint
