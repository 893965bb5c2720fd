"""What Metacontroller may be told, checked more strictly than it checks itself.

To it `{}` means "delete every child", and a null among the children ends its process; a number such as 1.0, a
null or an empty list makes it write the same object again and again. So an answer that breaks a rule is never
sent: the caller answers 500 instead, which keeps everything as it is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

Answer = dict[str, Any]
Kind = tuple[str, str]
"""apiVersion and kind of a child."""

_DECORATOR_FIELDS = {"labels", "annotations", "attachments", "resyncAfterSeconds"}
_SYNC_FIELDS = {"status", "children", "resyncAfterSeconds", "finalized"}


class ContractError(Exception):
    """The answer breaks a rule; the text names the rule and the place, never a value."""


def check_sync_answer(answer: object, kinds: Collection[Kind], finalizing: bool) -> None:
    """Check the answer to `sync` or `finalize` of a CompositeController. Raises ContractError.

    `kinds` are those under the manifest's `childResources`.
    """
    fields = _check_fields(answer, required={"status", "children"}, known=_SYNC_FIELDS)
    if not isinstance(fields["status"], dict) or not fields["status"]:
        raise ContractError("status is not an object that says something")
    _check_children(fields["children"], kinds, "children")
    _check_resync(fields)
    if "finalized" in fields and not isinstance(fields["finalized"], bool):
        raise ContractError("finalized is neither true nor false")
    if fields.get("finalized") and not finalizing:
        raise ContractError("finalized is true although nothing is being finalized")
    check_values(fields["status"], "status")
    check_values(fields["children"], "children", may_be_empty=True)


def check_decorator_answer(answer: object, kinds: Collection[Kind] = ()) -> None:
    """Check the answer to `sync` of a DecoratorController that labels and annotates. Raises ContractError.

    `kinds` are those under the manifest's `attachments`. A null takes a label or an annotation away.
    """
    fields = _check_fields(answer, required={"labels", "annotations", "attachments"}, known=_DECORATOR_FIELDS)
    for name in ("labels", "annotations"):
        if not isinstance(fields[name], dict) or not all(
            one is None or isinstance(one, str) for one in fields[name].values()
        ):
            raise ContractError(f"{name} is not an object of texts and nulls")
    _check_children(fields["attachments"], kinds, "attachments")
    check_values(fields["attachments"], "attachments", may_be_empty=True)
    _check_resync(fields)


def check_customize_answer(answer: object) -> None:
    """Check the answer to `customize`. Raises ContractError."""
    fields = _check_fields(answer, required={"relatedResources"}, known={"relatedResources"})
    if not isinstance(fields["relatedResources"], list):
        raise ContractError("relatedResources is not a list")
    for place, rule in enumerate(fields["relatedResources"]):
        if not isinstance(rule, dict) or not rule.get("apiVersion") or not rule.get("resource"):
            raise ContractError(f"relatedResources[{place}] lacks apiVersion or resource")
        if "names" in rule and rule.keys() & {"labelSelector", "namespaceSelector"}:
            raise ContractError(f"relatedResources[{place}] has both names and a selector")
        check_values(rule, f"relatedResources[{place}]")


def _check_fields(answer: object, required: set[str], known: set[str]) -> Answer:
    if not isinstance(answer, dict):
        raise ContractError("the answer is not an object")
    if missing := required - answer.keys():
        raise ContractError(f"the answer lacks {', '.join(sorted(missing))}")
    if unknown := answer.keys() - known:
        raise ContractError(f"the answer has unknown fields: {len(unknown)}")
    return answer


def _check_children(children: object, kinds: Collection[Kind], name: str) -> None:
    if not isinstance(children, list):
        raise ContractError(f"{name} is not a list")
    seen = set()
    for place, child in enumerate(children):
        identity = _identify(child, f"{name}[{place}]")
        if identity[:2] not in kinds:
            raise ContractError(f"{name}[{place}] is of a kind that the manifest does not name")
        if identity in seen:
            raise ContractError(f"{name}[{place}] is there twice")
        seen.add(identity)


def _identify(child: object, place: str) -> tuple[object, ...]:
    if not isinstance(child, dict) or not isinstance(child.get("metadata"), dict):
        raise ContractError(f"{place} is not an object with metadata")
    metadata = child["metadata"]
    identity = (
        child.get("apiVersion"),
        child.get("kind"),
        metadata.get("namespace"),
        metadata.get("name"),
    )
    if not all(isinstance(part, str) and part for part in identity):
        raise ContractError(f"{place} lacks apiVersion, kind, namespace or name")
    return identity


def _check_resync(answer: Answer) -> None:
    if "resyncAfterSeconds" not in answer:
        return
    seconds = answer["resyncAfterSeconds"]
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 1:
        raise ContractError("resyncAfterSeconds is not a whole number of at least 1")


def check_values(value: object, place: str, may_be_empty: bool = False) -> None:
    """Refuse what Kubernetes and Metacontroller would store differently from how it was said."""
    if isinstance(value, str | int) or (isinstance(value, float) and not value.is_integer()):
        return
    if isinstance(value, dict):
        items = list(value.items())
        if not all(isinstance(key, str) for key in value):
            raise ContractError(f"{place} has a key that is not text")
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        raise ContractError(f"{place} is null, a whole number written as a float, or nothing JSON has")
    if not items and not may_be_empty:
        raise ContractError(f"{place} is empty")
    for key, item in items:
        if type(item) is not str:  # most are; this is the hottest loop of the service
            check_values(item, f"{place}.{key}")
