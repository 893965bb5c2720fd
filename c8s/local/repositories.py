"""Bare repositories on the local git server, each with a user of its own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from c8s.local.git_server import add_credentials, create_repository
from c8s.local.state import StatePaths
from c8s.run.labels import GIT_CREDENTIALS_LABEL

GIT_CREDENTIALS_LABELS: Mapping[str, str] = {GIT_CREDENTIALS_LABEL: "true"}
"""What a Secret bears so that the `resolve` hook may see it (docs/reference/data.md)."""


@dataclass(frozen=True, slots=True)
class LocalRepository:
    """A bare repository: its folder, its address without a password, and who may read and write it."""

    path: Path
    url: str
    username: str
    password: str = field(repr=False)

    def credentials(self) -> dict[str, str]:
        """The data of a Secret that a RepositoryConnection's `authSecretRef` may name."""
        return {"username": self.username, "password": self.password}

    def url_with_password(self) -> str:
        """For a push from a throw-away work tree."""
        parts = urlsplit(self.url)
        user = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}"
        return parts._replace(netloc=f"{user}@{parts.netloc}").geturl()


def add_repository(paths: StatePaths, git_url: str, name: str) -> LocalRepository:
    """The repository `owner/name`, made where it is missing, with a new password each time."""
    folder = create_repository(paths.repositories, name)
    repository = LocalRepository(folder, f"{git_url}/{name}.git", "c8s", secrets.token_urlsafe(24))
    add_credentials(paths.git_credentials, name, repository.username, repository.password)
    return repository
