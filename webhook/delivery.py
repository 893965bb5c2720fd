"""What a forge's module makes of a delivery, whatever the forge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from werkzeug.datastructures import Headers

EventName = Literal["push", "tag", "pullRequest"]


class Unreadable(Exception):
    """The delivery is not what this forge sends; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who caused the event, as the forge knows them. Trust goes by the id, never by an author's name."""

    login: str
    id: int


@dataclass(frozen=True, slots=True)
class PullRequest:
    """`base` is a branch; `head_repository` the clone address the commit comes from, "" when it is gone."""

    number: int
    base: str
    head_repository: str
    fork: bool


@dataclass(frozen=True, slots=True)
class Event:
    """Something that may start runs. `commit` is a full hash.

    `before` is the commit to compare with: the branch's before the push, the base's of a pull request; empty
    for a new branch.
    """

    name: EventName
    commit: str
    sender: Sender
    branch: str = ""
    tag: str = ""
    before: str = ""
    message: str = ""
    author: str = ""
    pull_request: PullRequest | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that starts nothing, and why, in one CamelCase word and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request of a forge, not yet verified. `repositories` are its repository's addresses."""

    id: str
    repositories: frozenset[str]
    payload: Mapping[str, Any] = field(repr=False)
    kind: str = ""


class Forge(Protocol):
    """What one forge's module offers."""

    provider: str
    """As in `RepositoryConnection.spec.provider`."""

    max_body_bytes: int
    """The largest body the forge sends."""

    def has_signature(self, headers: Headers) -> bool:
        """Whether there is anything to verify."""
        ...

    def parse(self, headers: Headers, body: bytes) -> Delivery:
        """The delivery's identity and repository. Raises `Unreadable`."""
        ...

    def is_signed_with(self, secret: bytes, headers: Headers, body: bytes) -> bool:
        """Whether the sender knows `secret`; takes the same time whatever the signature is."""
        ...

    def translate(self, delivery: Delivery) -> Event | Ignored:
        """What the delivery asks for. Called for verified deliveries only. Raises `Unreadable`."""
        ...
