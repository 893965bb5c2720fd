"""Plays a folder of `examples/`: pushes it, starts the runs that `expected.yaml` names, compares.

`expected.yaml` holds `runs`, played one after the other; with `together: true` while the first runs. Each
has, all optional but `expect`: `spec` (fields of the PipelineRun), `rerun` (`all` or `failed`, of the run
before), `do` (what a person does when a step has got somewhere), `seen` (what steps wait for on the way).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from c8s.adapters.cluster import NAMESPACES, REPOSITORY_CONNECTIONS, SECRETS, Resource
from c8s.local.repositories import GIT_CREDENTIALS_LABELS
from c8s.logs.layout import log_key
from tests.cluster.surroundings import FINAL_PHASES, Surroundings

EXAMPLES = Path(__file__).parents[2] / "examples"
WITHIN_SECONDS = 120.0
NAME = "example"

Fields = dict[str, Any]


def find_examples() -> list[str]:
    """The names of the folders that say what is expected of them."""
    return sorted(path.parent.name for path in EXAMPLES.glob("*/expected.yaml"))


@dataclass(slots=True)
class Example:
    """One folder, with a namespace and a repository of its own. `problems` are sentences."""

    around: Surroundings
    folder: Path
    namespace: str
    commit: str = ""
    problems: list[str] = field(default_factory=list)

    def prepare(self, scratch: Path) -> None:
        """Make the namespace and what the example needs in it, and push the folder's files."""
        cluster = self.around.kubernetes
        cluster.create(NAMESPACES, {"metadata": {"name": self.namespace}})
        files = {
            str(path.relative_to(self.folder)): path.read_text()
            for path in self.folder.rglob("*")
            if path.is_file() and path.name not in ("expected.yaml", "objects.yaml")
        }
        repository, self.commit = self.around.push_project(scratch, files)
        git_secret = {"metadata": {"name": "git", "labels": dict(GIT_CREDENTIALS_LABELS)}}
        cluster.create(SECRETS, git_secret | {"stringData": repository.credentials()}, self.namespace)
        connection = {
            "metadata": {"name": NAME},
            "spec": {
                "repository": repository.url,
                "provider": "gitea",
                "authSecretRef": {"name": "git"},
                "webhookSecretRef": {"name": "git"},
            },
        }
        cluster.create(REPOSITORY_CONNECTIONS, connection, self.namespace)
        for document in self._read_objects():
            cluster.create(_type_of(document), document, self.namespace)

    def _read_objects(self) -> Iterator[Fields]:
        path = self.folder / "objects.yaml"
        if path.exists():
            yield from yaml.safe_load_all(path.read_text())

    def play(self) -> None:
        """Play all runs to their end; what is not as expected is in `problems`."""
        plan = yaml.safe_load((self.folder / "expected.yaml").read_text())
        if plan.get("together"):
            self._play_together(plan["runs"])
            return
        name = ""
        for entry in plan["runs"]:
            name = self._start(entry, name)
            self._finish(name, entry)

    def _play_together(self, entries: list[Fields]) -> None:
        """Start the others while the first one runs."""
        names = [self._start(entries[0], "")]
        self.around.wait_for_run(names[0], _is_running, WITHIN_SECONDS, namespace=self.namespace)
        names += [self._start(entry, "") for entry in entries[1:]]
        for name, entry in zip(names, entries, strict=True):
            self._finish(name, entry)

    def _start(self, entry: Fields, before: str) -> str:
        client = self.around.client
        if "rerun" in entry:
            return str(client.rerun(self.namespace, before, scope=entry["rerun"])["name"])
        spec = {"repositoryConnectionRef": {"name": NAME}, "commit": self.commit, "branch": "main"}
        spec |= {"event": "manual"} | entry.get("spec", {})
        return str(client.create_run(self.namespace, spec, name=self.around.new_name("run"))["name"])

    def _finish(self, name: str, entry: Fields) -> None:
        left, seen = list(entry.get("do", ())), list(entry.get("seen", ()))

        def advance(run: Fields) -> bool:
            steps = _steps_of(run)
            for deed in [one for one in left if _fits(steps.get(one["when"]["step"]), one["when"])]:
                self._do(name, deed)
                left.remove(deed)
            seen[:] = [one for one in seen if not any(_waits_so(step, one) for step in steps.values())]
            return run.get("status", {}).get("phase") in FINAL_PHASES

        run = self.around.wait_for_run(name, advance, WITHIN_SECONDS, namespace=self.namespace)
        self.problems += [f"{name}: nothing ever waited so: {one}" for one in seen]
        self.problems += [f"{name}: {problem}" for problem in self._compare(run, entry["expect"])]

    def _do(self, name: str, deed: Fields) -> None:
        client = self.around.client
        if deed.get("cancel"):
            client.cancel_run(self.namespace, name)
        if "approve" in deed:
            client.decide(self.namespace, name, deed["approve"], decision="approve")
        if "reject" in deed:
            client.decide(self.namespace, name, deed["reject"], decision="reject")

    def _compare(self, run: Fields, expect: Fields) -> Iterator[str]:
        status, steps = run["status"], _steps_of(run)
        texts = {key: expect[key] for key in ("phase", "reason", "message") if key in expect}
        yield from _differences("the run", status, texts)
        for step, wanted in expect.get("steps", {}).items():
            yield from _differences(step, steps.get(step, {}), wanted)
        if len(expect.get("steps", steps)) != len(steps):
            yield f"has the steps {sorted(steps)}"
        for step, lines in expect.get("logs", {}).items():
            log = self._read_log(run, step)
            yield from (f"{step}'s log lacks {line!r}:\n{log}" for line in lines if line not in log)
        for step, lines in expect.get("withoutLogs", {}).items():
            log = self._read_log(run, step)
            yield from (f"{step}'s log has {line!r}" for line in lines if line in _without_commands(log))

    def _read_log(self, run: Fields, step: str) -> str:
        return b"".join(self.around.store.get(log_key(self.namespace, run["uid"], step))).decode()


def _is_running(run: Fields) -> bool:
    return bool(run.get("status", {}).get("phase") == "Running")


def _type_of(document: Fields) -> Resource:
    group, _, version = document["apiVersion"].rpartition("/")
    return Resource(group, version, document["kind"].lower() + "s", document["kind"])


def _steps_of(run: Fields) -> dict[str, Fields]:
    return {step["name"]: step for step in run.get("status", {}).get("steps") or []}


def _fits(step: Fields | None, when: Mapping[str, Any]) -> bool:
    wanted = {key: value for key, value in when.items() if key != "step"}
    return step is not None and all(step.get(key) == value for key, value in wanted.items())


def _waits_so(step: Fields, wanted: Mapping[str, str]) -> bool:
    waiting = step.get("waiting") or {}
    return waiting.get("reason") == wanted["waiting"] and wanted["message"] in waiting.get("message", "")


def _differences(what: str, found: Fields, wanted: Fields | str) -> Iterator[str]:
    """Sentences for all that is not as wanted; of a message it is a part that is wanted."""
    expected = {"phase": wanted} if isinstance(wanted, str) else wanted
    for key, value in expected.items():
        is_there = str(value) in found.get(key, "") if key == "message" else found.get(key) == value
        if not is_there:
            yield f"{what} has {key} {found.get(key)!r}, not {value!r} ({found.get('message', '')})"


def _without_commands(log: str) -> str:
    """The log without the lines that announce commands."""
    return "\n".join(line for line in log.splitlines() if not line.split(" ", 2)[-1].startswith("$ "))
