"""Answers that must never leave the service."""

from __future__ import annotations

from typing import Any

import pytest

from hooks.contract import (
    ContractError,
    check_customize_answer,
    check_decorator_answer,
    check_sync_answer,
)

KINDS = {("batch/v1", "Job")}
JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a", "namespace": "team"}}
LEASE_KINDS = {("coordination.k8s.io/v1", "Lease")}
LEASE = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "a", "namespace": "team"},
}
STATUS = {"phase": "Running"}


def _job(**changes: Any) -> dict[str, Any]:
    return {**JOB, **changes}


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({}, "lacks children, status"),
        (None, "not an object"),
        ([], "not an object"),
        ({"status": STATUS}, "lacks children"),
        ({"children": []}, "lacks status"),
        ({"status": None, "children": []}, "status"),
        ({"status": {}, "children": []}, "status"),
        ({"status": STATUS, "children": None}, "children is not a list"),
        ({"status": STATUS, "children": [None]}, "children[0]"),
        ({"status": STATUS, "children": [JOB, JOB]}, "children[1] is there twice"),
        ({"status": STATUS, "children": [_job(kind="Pod")]}, "kind that the manifest"),
        ({"status": STATUS, "children": [_job(apiVersion="batch/v1beta1")]}, "kind that the manifest"),
        ({"status": STATUS, "children": [_job(kind=None)]}, "lacks apiVersion, kind"),
        ({"status": STATUS, "children": [_job(metadata={"name": "", "namespace": "x"})]}, "lacks"),
        ({"status": STATUS, "children": [_job(metadata={"name": "a"})]}, "lacks"),
        ({"status": STATUS, "children": [_job(spec=None)]}, "children.0.spec"),
        ({"status": STATUS, "children": [_job(spec={})]}, "children.0.spec is empty"),
        ({"status": STATUS, "children": [_job(spec={"limit": 1.0})]}, "children.0.spec.limit is"),
        ({"status": {"phase": "Running", "steps": []}, "children": []}, "status.steps is empty"),
        ({"status": {"phase": None}, "children": []}, "status.phase"),
        ({"status": {1: "x"}, "children": []}, "key that is not text"),
        ({"status": STATUS, "children": [], "finalized": True}, "nothing is being finalized"),
        ({"status": STATUS, "children": [], "finalized": "yes"}, "neither true nor false"),
        ({"status": STATUS, "children": [], "resyncAfterSeconds": 0}, "resyncAfterSeconds"),
        ({"status": STATUS, "children": [], "resyncAfterSeconds": 1.0}, "resyncAfterSeconds"),
        ({"status": STATUS, "children": [], "resyncAfterSeconds": None}, "resyncAfterSeconds"),
        ({"status": STATUS, "children": [], "childs": []}, "unknown fields"),
    ],
)
def test_bad_sync_answer_is_refused(answer: object, complaint: str) -> None:
    with pytest.raises(ContractError) as caught:
        check_sync_answer(answer, KINDS, finalizing=False)
    assert complaint in str(caught.value)


def test_good_sync_answer_passes() -> None:
    answer = {"status": STATUS, "children": [JOB], "resyncAfterSeconds": 30, "finalized": False}
    check_sync_answer(answer, KINDS, finalizing=False)
    check_sync_answer(answer | {"finalized": True, "children": []}, KINDS, finalizing=True)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"labels": {}, "annotations": {}, "attachments": [JOB]},
        {"labels": {}, "annotations": {}, "attachments": None},
        {"labels": {}, "annotations": {}, "attachments": [None]},
        {"labels": {}, "annotations": {}, "attachments": [LEASE, LEASE]},
        {"labels": {}, "annotations": {}, "attachments": [{**LEASE, "spec": {}}]},
        {"labels": {}, "annotations": {}, "attachments": [{**LEASE, "metadata": {"name": "a"}}]},
        {"labels": None, "annotations": {}, "attachments": []},
        {"labels": {}, "annotations": {"a": 1}, "attachments": []},
        {"labels": {}, "annotations": {}, "attachments": [], "status": {}},
        {"labels": {}, "annotations": {}, "attachments": [], "resyncAfterSeconds": 0},
    ],
)
def test_bad_decorator_answer_is_refused(answer: object) -> None:
    with pytest.raises(ContractError):
        check_decorator_answer(answer, LEASE_KINDS)


def test_good_decorator_answer_passes() -> None:
    answer = {"labels": {"a": None}, "annotations": {"b": "c", "d": None}, "attachments": [LEASE]}
    check_decorator_answer(answer, LEASE_KINDS)
    with pytest.raises(ContractError):
        check_decorator_answer(answer)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"relatedResources": None},
        {"relatedResources": [None]},
        {"relatedResources": [{"apiVersion": "v1"}]},
        {
            "relatedResources": [
                {"apiVersion": "v1", "resource": "pods", "names": ["a"], "labelSelector": {"x": 1}}
            ]
        },
        {"relatedResources": [{"apiVersion": "v1", "resource": "pods", "names": []}]},
    ],
)
def test_bad_customize_answer_is_refused(answer: object) -> None:
    with pytest.raises(ContractError):
        check_customize_answer(answer)
