"""The installed `c8s` as people call it: what it prints, on which stream, and the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from c8s.adapters.cluster import REPOSITORY_CONNECTIONS
from tests.cluster.surroundings import Surroundings, git

C8S = Path(sys.executable).with_name("c8s")
TIMEOUT_SECONDS = 90
GOOD = """\
version: v1alpha1
name: good
steps:
  - name: unit
    image: busybox
    commands: [cat told.txt]
"""
FAILING = GOOD.replace("cat told.txt", "echo before, exit 3")
SECRET_WANTED = GOOD + "    secrets: [{secretRef: index, key: token, envVar: TOKEN}]\n"


def c8s(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run in `folder`, with nothing of this process's own settings for c8s."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("C8S_")}
    return subprocess.run(
        [str(C8S), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )


@pytest.fixture
def here(surroundings: Surroundings) -> Path:
    """The folder where the cluster was started: `c8s` finds it from there."""
    return surroundings.local.paths.root.parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository whose `told.txt` says something else than what was committed."""
    write(tmp_path, {".c8s.yaml": GOOD, "told.txt": "as committed\n"})
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    write(tmp_path, {"told.txt": "not committed yet\n"})
    return tmp_path


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)


def connect(surroundings: Surroundings, folder: Path, pipeline: str) -> str:
    """The name of a RepositoryConnection to a new repository."""
    repository, _ = surroundings.push_project(folder, {".c8s.yaml": pipeline, "told.txt": "from main\n"})
    name = surroundings.new_name("connection")
    body = {
        "apiVersion": REPOSITORY_CONNECTIONS.api_version,
        "kind": REPOSITORY_CONNECTIONS.kind,
        "metadata": {"name": name, "namespace": surroundings.state.namespace},
        "spec": {
            "repository": repository.url,
            "provider": "github",
            "authSecretRef": {"name": surroundings.store_credentials(repository)},
        },
    }
    surroundings.kubernetes.create(REPOSITORY_CONNECTIONS, body, surroundings.state.namespace)
    return name


@pytest.mark.parametrize(
    ("pipeline", "exit_code", "said"),
    [(GOOD, 0, "from main"), (FAILING, 1, "exit code 3")],
    ids=["good", "failing"],
)
def test_run_is_followed_to_its_end(
    surroundings: Surroundings, here: Path, tmp_path: Path, pipeline: str, exit_code: int, said: str
) -> None:
    connection = connect(surroundings, tmp_path, pipeline)
    done = c8s(here, "run", "--connection", connection, "--branch", "main", "-f")
    assert (done.returncode, done.stderr) == (exit_code, "")
    assert said in done.stdout


def test_run_prints_its_name(surroundings: Surroundings, here: Path, tmp_path: Path) -> None:
    connection = connect(surroundings, tmp_path, GOOD)
    done = c8s(here, "run", "--connection", connection, "--branch", "main")
    name = done.stdout.splitlines()[0]
    assert surroundings.wait_for_end(name)["status"]["phase"] == "Succeeded"


def test_finished_run_is_listed_shown_and_told(surroundings: Surroundings, here: Path) -> None:
    name = surroundings.start_steps({"name": "unit", "image": "busybox", "commands": ["echo said"]})
    run = surroundings.wait_for_end(name)
    surroundings.wait_for_archive(run)
    assert f"{name} " in c8s(here, "get", "runs").stdout
    assert json.loads(c8s(here, "get", name, "-o", "json").stdout) == surroundings.run(name)
    for arguments in (["logs", name], ["logs", "-f", name]):
        done = c8s(here, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert "said" in [line.rpartition("│ ")[2] for line in done.stdout.splitlines()]


def test_cancelled_run_ends_and_fails_its_follower(surroundings: Surroundings, here: Path) -> None:
    name = surroundings.start_steps({"name": "long", "image": "busybox", "commands": ["sleep 600 & wait"]})
    done = c8s(here, "cancel", name)
    assert (done.returncode, done.stdout.strip()) == (0, f"{name} is being cancelled")
    assert c8s(here, "logs", "-f", name).returncode == 1
    assert surroundings.wait_for_end(name)["status"]["phase"] == "Cancelled"
    again = c8s(here, "cancel", name)
    assert (again.returncode, again.stdout.strip()) == (0, f"{name} has already ended: Cancelled")


@pytest.mark.parametrize(
    "arguments",
    [
        ["get", "no-such-run"],
        ["logs", "no-such-run"],
        ["logs", "-f", "no-such-run"],
        ["cancel", "no-such-run"],
        ["run", "--pipeline", "no-such", "--path", "a.yaml", "--branch", "main"],
        ["run", "--connection", "no-such"],
    ],
    ids=" ".join,
)
def test_wrong_use_exits_with_a_hint(here: Path, arguments: list[str]) -> None:
    done = c8s(here, *arguments)
    error, hint = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert error.startswith("error: ")
    assert hint.startswith("  hint: ")


def test_no_cluster_nearby_is_told(tmp_path: Path) -> None:
    done = c8s(tmp_path, "get", "runs")
    assert done.returncode == 2
    assert done.stderr.startswith("error: no c8s to talk to\n  hint: ")


def test_local_status_tells_parts_and_addresses(surroundings: Surroundings, here: Path) -> None:
    surroundings.wait_until_ready()
    done = c8s(here, "local", "status")
    assert (done.returncode, done.stderr) == (0, "")
    parts = {words[0] for line in done.stdout.splitlines() if (words := line.split())[2:] == ["runs"]}
    assert parts == set(surroundings.local.processes)
    assert surroundings.state.api_url in done.stdout


def test_exec_runs_what_is_not_committed(project: Path) -> None:
    done = c8s(project, "exec", "--runner", "process")
    assert (done.returncode, done.stderr) == (0, "")
    assert "not committed yet" in done.stdout
    assert git(project, "status", "--short") == "M told.txt"


def test_exec_fails_with_its_step(project: Path) -> None:
    write(project, {".c8s.yaml": FAILING})
    done = c8s(project, "exec", "--runner", "process")
    assert (done.returncode, done.stderr) == (1, "")
    assert "exit code 3" in done.stdout


def test_exec_tells_problems_of_the_file(project: Path) -> None:
    write(project, {".c8s.yaml": GOOD.replace("commands", "comands")})
    done = c8s(project, "exec")
    assert done.returncode == 1
    assert "comands" in done.stdout
    assert "hint: " in done.stdout


def test_exec_tells_missing_secrets(project: Path) -> None:
    write(project, {".c8s.yaml": SECRET_WANTED})
    done = c8s(project, "exec")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "error: the pipeline needs secrets that are not given: index/token\n  hint: "
    )
