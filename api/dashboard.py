"""The dashboard's routes: pages made on the server, for people with a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from api.artifacts import StepArtifacts
from api.form_routes import FormRoutes
from api.namespaces import list_namespaces
from api.pages import check_form_is_ours, local_path
from api.permissions import Permissions, access_to_runs
from api.pipelines import Pipelines
from api.rest import read_phase, read_pipeline
from api.run_page import observe_rights, show_run_page
from api.run_view import show_run
from api.runs import PHASES, Runs
from api.sessions import MAX_TOKEN_CHARACTERS, Sessions
from api.step_view import StepView, show_steps
from c8s.adapters.cluster import Object
from c8s.run.log_names import parse_log_name
from c8s.web.authorization import User
from c8s.web.errors import HttpProblem, Missing, Unauthenticated
from c8s.web.limits import read_integer_argument

RUNS_A_PAGE = 50
MAX_RUNS_A_PAGE = 500

Page = str | Response


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What the pages are made from."""

    runs: Runs
    pipelines: Pipelines
    permissions: Permissions
    sessions: Sessions
    artifacts: StepArtifacts
    now: Callable[[], datetime]

    def login(self) -> Page | tuple[Page, int]:
        target = local_path(request.values.get("next", "/"))
        if request.method == "GET":
            return render_template("login.html", next=target)
        check_form_is_ours(is_https=self.sessions.is_https)
        token = request.form.get("token", "").strip()
        try:
            user = self._check_token(token)
        except HttpProblem as problem:
            return render_template("login.html", next=target, problem=problem), problem.status
        response = make_response(redirect(target, 303))
        self.sessions.start(response, token, user.name)
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
        viewer = self.permissions.require("list", namespace)
        limit = read_integer_argument("limit", RUNS_A_PAGE, minimum=1, maximum=MAX_RUNS_A_PAGE)
        phase, pipeline = read_phase(), read_pipeline()
        everything = [show_run(run, self.now()) for run in self.runs.list(namespace)]
        found = [run for run in everything if phase in ("", run.phase) and pipeline in ("", run.pipeline)]
        may_list = self.permissions.may_list_configs(viewer, namespace)
        configs = self.pipelines.list(namespace, self.now()) if may_list else []
        known = {run.pipeline for run in everything if run.pipeline} | {one.name for one in configs}
        return render_template(
            "runs.html",
            namespace=namespace,
            runs=found[:limit],
            left_out=max(0, len(found) - limit),
            more=min(MAX_RUNS_A_PAGE, limit + RUNS_A_PAGE),
            is_filtered=bool(phase or pipeline),
            phases=PHASES,
            phase=phase,
            pipelines=sorted(known),
            pipeline=pipeline,
            configs=[one for one in configs if pipeline in ("", one.name)],
            awaiting=[run for run in everything if run.awaits],
        )

    def run(self, namespace: str, run: str) -> Page:
        viewer = self.permissions.require("get", namespace, run)
        found = self.runs.get(namespace, run, request.args.get("uid", ""))
        rights = observe_rights(self.permissions, viewer, found)
        page = show_run_page(found, viewer.user, self.now())
        return render_template("run.html", namespace=namespace, rights=rights, **page)

    def step(self, namespace: str, run: str, step: str) -> Page:
        viewer = self.permissions.require("get", namespace, run, subresource="log")
        found = self.runs.get(namespace, run, request.args.get("uid", ""))
        view = self._find_step(found, step)
        page = show_run_page(found, viewer.user, self.now())
        return render_template(
            "step.html",
            namespace=namespace,
            run=page["run"],
            step=view,
            log=_choose_log(view, step),
            rights=observe_rights(self.permissions, viewer, found),
            questions=[one for one in page["questions"] if one.step.name == view.name],
        )

    def artifact_list(self, namespace: str, run: str, step: str) -> Page:
        self.permissions.require("get", namespace, run, subresource="log")
        found = self.runs.get(namespace, run, request.args.get("uid", ""))
        manifest = self.artifacts.get(found, step)
        context: dict[str, Any] = {"manifest": manifest, "log": step, "step": self._find_step(found, step)}
        view = show_run(found, self.now())
        return render_template("artifacts.html", namespace=namespace, run=view, **context)

    def _find_step(self, run: Object, log: str) -> StepView:
        instance, attempt = parse_log_name(log)
        for view in show_steps(run, self.now()):
            if view.name == instance and attempt <= len(view.logs):
                return view
        raise Missing(
            f"run {run['metadata']['name']} has no step {log[:80]}",
            hint="go back to the run: its page lists its steps",
        )

    def _check_token(self, token: str) -> User:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise Unauthenticated(
                "the token is too long for a browser's cookie",
                hint=f"take one of at most {MAX_TOKEN_CHARACTERS} characters",
            )
        return self.permissions.authorizer.authenticate(token)


def _choose_log(view: StepView, name: str) -> str:
    """The log on a step's page: the one that is named, by an instance's name alone the newest.

    So the first attempt, whose log has that name too, needs `?attempt=1`.
    """
    is_first = request.args.get("attempt") == "1"
    return name if name != view.name or is_first else view.logs[-1]


def create_dashboard_blueprint(pages: Dashboard, forms: FormRoutes) -> Blueprint:
    """The routes of pages and forms; every template knows `session`."""
    blueprint = Blueprint("dashboard", __name__)
    run = "/namespaces/<namespace>/runs/<run>"
    blueprint.add_url_rule("/", "namespaces", pages.namespaces)
    blueprint.add_url_rule("/login", "login", pages.login, methods=["GET", "POST"])
    blueprint.add_url_rule("/logout", "logout", forms.logout, methods=["POST"])
    blueprint.add_url_rule("/namespaces/<namespace>", "run_list", pages.run_list)
    blueprint.add_url_rule(run, "run", pages.run)
    blueprint.add_url_rule(f"{run}/cancel", "cancel", forms.cancel, methods=["POST"])
    blueprint.add_url_rule(f"{run}/rerun", "rerun", forms.rerun, methods=["POST"])
    blueprint.add_url_rule(f"{run}/steps/<step>", "step", pages.step)
    blueprint.add_url_rule(f"{run}/steps/<step>/approval", "decide", forms.decide, methods=["POST"])
    blueprint.add_url_rule(f"{run}/steps/<step>/artifacts", "artifacts", pages.artifact_list)
    blueprint.app_context_processor(lambda: {"session": pages.permissions.session()})
    return blueprint
