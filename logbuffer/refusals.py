"""Why a Job has no pod, from the words by which the cluster refuses to make one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

MAX_MESSAGE_CHARACTERS = 500

QUOTA_EXCEEDED = "QuotaExceeded"
NEVER_FITS = "NeverFits"
ADMISSION_REFUSED = "AdmissionRefused"
FAILED_CREATE = "FailedCreate"
SUSPENDED = "Suspended"
REASONS = frozenset({QUOTA_EXCEEDED, NEVER_FITS, ADMISSION_REFUSED, FAILED_CREATE, SUSPENDED})

# https://github.com/kubernetes/apiserver/blob/master/pkg/admission/plugin/resourcequota/controller.go
_QUOTA = re.compile(
    r"exceeded quota: (?P<name>[^,\s]+), requested: (?P<requested>\S+), "
    r"used: (?P<used>\S+), limited: (?P<limited>\S+)"
)
# https://github.com/kubernetes/kubernetes/blob/master/plugin/pkg/admission/limitranger/admission.go
_LIMIT_RANGE = re.compile(
    r"(?:maximum|minimum) \S+ usage per (?:Container|Pod) is [^,\]]+?, but (?:no )?(?:limit|request)[^,\]]*"
    r"|\S+ max limit to request ratio per (?:Container|Pod) is [^,\]]+?, but [^,\]]*"
)
_QUANTITY = re.compile(r"([0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?)(m|[kMGTPE]|[KMGTPE]i|)")
_PREFIX = re.compile(r'^(?:Error creating: )?pods "[^"]*" is forbidden: ')


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason of `REASONS`, and a sentence."""

    reason: str
    message: str


def parse_refusal(message: str) -> Refusal:
    """What the message of an Event `FailedCreate` says, told by who can do something about it."""
    quotas = list(_QUOTA.finditer(message))
    if quotas:
        return _explain_quotas(quotas)
    limits = [match[0].strip() for match in _LIMIT_RANGE.finditer(message)]
    if limits:
        return Refusal(NEVER_FITS, _cut(f"the namespace's LimitRange forbids it: {'; '.join(limits)}"))
    is_refused = "forbidden" in message or "denied the request" in message
    shown = _PREFIX.sub("", message.strip())
    return Refusal(ADMISSION_REFUSED if is_refused else FAILED_CREATE, _cut(shown))


def _explain_quotas(quotas: list[re.Match[str]]) -> Refusal:
    """It never fits where even an empty namespace would not have enough."""
    sentences, never_fits = [], False
    for quota in quotas:
        requested, used, limited = (_parse_amounts(quota[part]) for part in ("requested", "used", "limited"))
        told = [
            f"{resource}: {amount} requested, "
            f"{used.get(resource, '0')} used, {limited.get(resource, '?')} allowed"
            for resource, amount in requested.items()
        ]
        sentences.append(f"quota {quota['name']}: {'; '.join(told)}")
        never_fits = never_fits or any(
            _is_more(amount, limited.get(resource, "")) for resource, amount in requested.items()
        )
    if never_fits:
        return Refusal(NEVER_FITS, _cut(f"it asks for more than there may ever be: {', '.join(sentences)}"))
    return Refusal(QUOTA_EXCEEDED, _cut(f"waits until others have ended: {', '.join(sentences)}"))


def _parse_amounts(text: str) -> dict[str, str]:
    """`requests.cpu=1,pods=2` by resource."""
    pairs = (entry.partition("=") for entry in text.split(",") if "=" in entry)
    return {name: value for name, _, value in pairs}


def _is_more(amount: str, limit: str) -> bool:
    try:
        return _parse_quantity(amount) > _parse_quantity(limit)
    except ValueError:
        return False


def _parse_quantity(text: str) -> Decimal:
    """Of any suffix Kubernetes takes. Raises `ValueError`.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:80]!r} is no quantity")
    number, suffix = match.groups()
    if suffix == "m":
        return Decimal(number) / 1000
    base = 1024 if suffix.endswith("i") else 1000
    return Decimal(number) * Decimal(base) ** " kmgtpe".index(suffix[:1].lower() or " ")


def _cut(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE_CHARACTERS else message[: MAX_MESSAGE_CHARACTERS - 1] + "…"
