"""How a write or a delete is asked for: what the query string and the body's options say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

FieldValidation = Literal["Strict", "Warn", "Ignore"]


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """`manager` goes to managedFields; `force` lets an apply take over fields; `warnings` collects
    what to tell."""

    manager: str = "unknown"
    dry_run: bool = False
    force: bool = False
    field_validation: FieldValidation = "Warn"
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """`propagation` None = the resource's default; `uid` and `resource_version` are preconditions (""
    = none)."""

    propagation: Literal["Background", "Foreground", "Orphan"] | None = None
    uid: str = ""
    resource_version: str = ""
    grace_period_seconds: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ListOptions:
    """`limit` 0 = all; `continue_token` is what the page before gave; "" = from the start."""

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_token: str = ""
