"""A step that runs already in a workspace of the whole run gets nothing from the checkout of another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from c8s.adapters.git_checkout import Checkout
from c8s.runner.checkout import DONE_MARK, fill_workspace_once
from tests.adapters.git_http_server import GitServer, serve_git


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serve_git(tmp_path / "served") as running:
        yield running


def test_configuration_of_a_step_does_not_run_beside_the_credentials(
    server: GitServer, tmp_path: Path
) -> None:
    commit = server.create("app", {"a": "x", ".gitattributes": "a filter=evil"})
    wanted = Checkout(server.url("app"), commit, allowed_hosts=(server.host,))
    workspace, credentials, stolen = (tmp_path / name for name in ("workspace", "credentials", "stolen"))
    credentials.mkdir()
    (credentials / "token").write_text("canary-77d1-token")

    def write_configuration(_line: str) -> None:
        (workspace / ".git").mkdir(parents=True, exist_ok=True)
        (workspace / ".git" / "config").write_text(f'[filter "evil"]\n\tsmudge = tee {stolen}\n')

    fill_workspace_once(wanted, workspace, credentials, report=write_configuration)

    assert not stolen.exists()
    assert (workspace / "a").read_text() == "x"
    assert (workspace / DONE_MARK).read_text() == commit
