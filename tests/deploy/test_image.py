"""The Dockerfile takes in what the package needs, locked and without root."""

from __future__ import annotations

import subprocess
import tomllib

from tests.deploy.rendering import DEPLOY, REPOSITORY

DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def test_every_package_is_in_the_build() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    sent = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split() if line[0] == "!"}

    assert sent == packages | {"README.md", "pyproject.toml", "requirements"}


def test_build_tool_is_locked() -> None:
    script = next(line for line in DOCKERFILE.splitlines() if "sed -n" in line)
    command = script.partition("sed")[2].partition(" >")[0]
    locked = subprocess.run(
        f"sed{command}", shell=True, cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout

    assert locked.startswith("setuptools==")
    assert "--hash=sha256:" in locked
    assert locked.count("==") == 1


def test_image_does_not_run_as_root() -> None:
    users = [line for line in DOCKERFILE.splitlines() if line.startswith("USER ")]

    assert users == ["USER 1000:1000"]
    assert "--require-hashes" in DOCKERFILE
    assert "FROM ${BASE_IMAGE}" in DOCKERFILE
