"""What makes a pipeline of a scenario richer than steps that depend on each other."""

from __future__ import annotations

from random import Random

from c8s.adapters.cluster import Object

APPROVER = "ann"


def add_features(random: Random, pipeline: Object) -> None:
    """Give some of everything to the steps of `pipeline`, in place."""
    for step in pipeline["steps"]:
        _add_policies(random, step)
        _add_instances(random, step)
    _add_outputs(random, pipeline["steps"])
    if random.random() < 0.2:
        _add_approval(random, pipeline["steps"])
    if random.random() < 0.3:
        pipeline["finally"] = _make_final_steps(random)
    if "matrix" in pipeline:
        _add_limits(random, pipeline["matrix"])


def _add_policies(random: Random, step: Object) -> None:
    if random.random() < 0.3:
        step["retry"] = {"max": random.randint(1, 3)}
        if random.random() < 0.5:
            step["retry"]["exitCodes"] = random.sample((1, 2, 137), random.randint(1, 2))
    elif random.random() < 0.15:
        step["idempotent"] = False
    if random.random() < 0.15:
        step["allowFailure"] = True


def _add_instances(random: Random, step: Object) -> None:
    if random.random() < 0.12:
        step["matrix"] = {"dimensions": {"python": ["3.11", "3.12", "3.13"]}}
        step["env"] = step.get("env", {}) | {"PYTHON": "${{ matrix.python }}"}
        _add_limits(random, step["matrix"])
    elif random.random() < 0.1:
        step["parallelism"] = random.randint(2, 3)


def _add_limits(random: Random, matrix: Object) -> None:
    if random.random() < 0.4:
        matrix["failFast"] = True
    if random.random() < 0.4:
        matrix["maxParallel"] = random.randint(1, 2)


def _add_outputs(random: Random, steps: list[Object]) -> None:
    for step in steps:
        sources = [one for one in steps if one["name"] in step.get("dependsOn", ()) and "outputs" in one]
        if sources:
            name = f"steps.{sources[0]['name']}.outputs.value"
            if random.random() < 0.5:
                step["env"] = step.get("env", {}) | {"VALUE": f"${{{{ {name} }}}}"}
            else:
                step["conditional"] = step.get("conditional", {}) | {"if": _ask_for(sources[0]["name"])}
        if not step.keys() & {"matrix", "parallelism"} and random.random() < 0.25:
            step["outputs"] = ["value"]


def _ask_for(source: str) -> str:
    return f"steps['{source}'].outputs.value == 'yes'" if "-" in source else ""


def _add_approval(random: Random, steps: list[Object]) -> None:
    """Before one of the steps people are asked; what it depended on now comes before that."""
    place = random.randrange(len(steps))
    approval: Object = {"name": "release", "approval": {"approvers": [APPROVER], "timeout": "10m"}}
    if "dependsOn" in steps[place]:
        approval["dependsOn"] = list(steps[place]["dependsOn"])
    steps[place]["dependsOn"] = [*steps[place].get("dependsOn", ()), "release"]
    steps.insert(place, approval)


def _make_final_steps(random: Random) -> list[Object]:
    steps: list[Object] = [{"name": "clean", "image": "alpine:3", "commands": ["true"]}]
    if random.random() < 0.5:
        steps.append({"name": "tell", "image": "alpine:3", "commands": ["true"], "dependsOn": ["clean"]})
    if random.random() < 0.3:
        steps[0]["retry"] = {"max": 1}
    return steps
