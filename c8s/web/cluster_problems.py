"""Refusals of the Kubernetes API as answers over HTTP."""

from __future__ import annotations

from c8s.adapters import cluster
from c8s.web.errors import BadRequest, Busy, Clash, HttpProblem, Missing


def problem_from_cluster(error: cluster.ClusterError, what: str) -> HttpProblem:
    """What a refusal of the Kubernetes API means to whoever asked for `what` ("run team/main-0a1b")."""
    match error:
        case cluster.NotFound():
            return Missing(f"{what} does not exist", hint="it may have been deleted; list what there is")
        case cluster.AlreadyExists():
            return Clash(f"{what} exists already", reason="AlreadyExists", hint="choose another name")
        case cluster.Conflict():
            return Clash(f"{what} was changed meanwhile", hint="try again")
        case cluster.Invalid():
            return BadRequest(f"{what} is refused: {error}", hint="mend what the message names")
        case _:
            return Busy(
                f"{what} can't be had now: the Kubernetes API does not answer as it should", hint="try again"
            )
