"""What a form of the dashboard has to bring along before anything is changed (docs/decisions/0018)."""

from __future__ import annotations

from flask import request

from api.pages import check_form_is_ours
from api.permissions import Permissions
from api.runs import Runs
from api.sessions import Session
from c8s.adapters.cluster import Object
from c8s.web.errors import Clash, NotAllowed

_HINT = "load the page again and repeat what you did"


def require_session(permissions: Permissions, *, is_https: bool) -> Session:
    """The session that this form was made for, on one of our own pages. Raises `NotAllowed`."""
    check_form_is_ours(is_https=is_https)
    session = permissions.session()
    if session is None or not session.accepts(request.form.get("csrf", "")):
        raise NotAllowed("the form is too old or not from here", reason="StaleForm", hint=_HINT)
    return session


def get_meant_run(runs: Runs, namespace: str, name: str) -> Object:
    """The run that the page showed: names are given again, uids are not. Raises `Clash` or `Missing`."""
    run = runs.get(namespace, name)
    if run["metadata"]["uid"] != request.form.get("uid", ""):
        raise Clash(f"run {name} is another one than the page showed", reason="AnotherRun", hint=_HINT)
    return run
