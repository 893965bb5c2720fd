"""Names that strangers choose reach a shell as the values of variables only, and to the letter."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from c8s.objects.job import build_step_job
from c8s.pipeline.parse import parse_document
from c8s.run.started import StartedStep
from tests.objects.samples import SETTINGS, make_run

NAMES = [
    "$(DB_PASSWORD)",
    "$$(DB_PASSWORD)",
    "$(COMMIT_SHA)",
    '";touch hacked;"',
    "`touch hacked`",
    "$(touch${IFS}hacked)",
    "a'$(touch hacked)'",
    "--upload-pack=touch hacked",
    "-n",
    "main\\",
    "%s%n",
    "\u202egnp.exe",
]
STEP = {
    "commands": ['printf "%s\\n" "$BRANCH" "$COPY"'],
    "env": {"COPY": "${{ branch }}"},
    "secrets": [{"secretRef": "database", "key": "password", "envVar": "DB_PASSWORD"}],
}
_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_]*)\)")


def expand(text: str, values: dict[str, str]) -> str:
    """What the kubelet makes of a container's text."""

    def replace(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else values.get(match[1], match[0])

    return _REFERENCE.sub(replace, text)


def start_as_kubelet(container: dict[str, Any], folder: str) -> str:
    """The output of a step's container, its variables set as the kubelet would."""
    values = {"DB_PASSWORD": "canary", "PATH": "/usr/bin:/bin"}
    for variable in container["env"]:
        if "value" in variable:
            values[variable["name"]] = expand(variable["value"], values)
    command = [expand(text, values) for text in container["command"]]
    return subprocess.run(command, env=values, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", NAMES)
def test_branch_reaches_the_shell_to_the_letter(name: str, tmp_path: Any) -> None:
    run, frozen = make_run(step=STEP, spec={"branch": name})
    job = build_step_job(run, frozen, StartedStep(frozen.instances[0]), SETTINGS)
    container = job["spec"]["template"]["spec"]["containers"][0]

    assert start_as_kubelet(container, str(tmp_path)).splitlines()[1:] == [name, name]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_branch_stands_in_nothing_but_the_environment(name: str) -> None:
    def build(branch: str) -> dict[str, Any]:
        run, frozen = make_run(step=STEP, spec={"branch": branch})
        job = build_step_job(run, frozen, StartedStep(frozen.instances[0]), SETTINGS)
        del job["spec"]["template"]["spec"]["containers"][0]["env"]
        return job

    assert build(name) == build("main")


def test_expression_of_a_stranger_in_a_command_is_refused() -> None:
    step = {"name": "unit", "image": "busybox", "commands": ["echo ${{ branch }}"]}

    result = parse_document({"version": "v1alpha1", "name": "app", "steps": [step]}, "test")

    assert result.pipeline is None
