"""Runs as people start them, on the whole local cluster."""

from __future__ import annotations

from tests.cluster.surroundings import Surroundings


def phases(run: dict) -> dict[str, str]:
    return {step["name"]: step["phase"] for step in run["status"]["steps"]}


def test_failure_stops_dependents_and_not_the_others(surroundings: Surroundings) -> None:
    name = surroundings.start_steps(
        {"name": "bad", "image": "busybox", "commands": ["echo before", "exit 3", "echo after"]},
        {"name": "after-bad", "image": "busybox", "commands": ["true"], "dependsOn": ["bad"]},
        {
            "name": "anyway",
            "image": "busybox",
            "commands": ["true"],
            "dependsOn": ["bad"],
            "conditional": {"onSuccess": False},
        },
        {"name": "beside", "image": "busybox", "commands": ["true"]},
    )
    run = surroundings.wait_for_end(name)
    assert run["status"]["phase"] == "Failed"
    assert phases(run) == {
        "bad": "Failed",
        "after-bad": "Skipped",
        "anyway": "Succeeded",
        "beside": "Succeeded",
    }
    assert run["status"]["steps"][0]["exitCode"] == 3
    assert surroundings.archived_text(run, "bad") == ["$ echo before", "before", "$ exit 3"]


def test_steps_see_their_environment(surroundings: Surroundings) -> None:
    branch = "feature/$(reboot);`id`"
    variables = "$CI $C8S $COMMIT_SHA $BRANCH $C8S_EVENT $C8S_PIPELINE $C8S_RUN $C8S_STEP"
    name = surroundings.start_steps(
        {"name": "show", "image": "busybox", "commands": [f'echo "{variables}"']}, branch=branch
    )
    run = surroundings.wait_for_end(name)
    shown = surroundings.archived_text(run, "show")[-1]
    assert shown == f"true true {'0' * 40} {branch} manual test {name} show"


def test_secret_values_never_reach_the_archive(surroundings: Surroundings) -> None:
    secret = surroundings.new_name("secret")
    surroundings.store_secret(secret, {"token": "canary-5d41402abc4b2a76"})
    name = surroundings.start_steps(
        {
            "name": "leak",
            "image": "busybox",
            "commands": [
                'echo "plain $TOKEN"',
                'printf %s "$TOKEN" | base64',
                "cat /c8s/secrets/token.txt",
            ],
            "secrets": [
                {"secretRef": secret, "key": "token", "envVar": "TOKEN"},
                {"secretRef": secret, "key": "token", "file": "token.txt"},
            ],
        }
    )
    run = surroundings.wait_for_end(name)
    assert run["status"]["phase"] == "Succeeded", run["status"]
    own = [line for line in surroundings.archived_text(run, "leak") if not line.startswith("$ ")]
    assert own == ["plain ***", "***", "***"]


def test_cancel_ends_steps_and_keeps_their_log(surroundings: Surroundings) -> None:
    name = surroundings.start_steps(
        {
            "name": "long",
            "image": "busybox",
            "commands": ["trap 'echo asked to stop; exit 1' TERM; echo begun; sleep 600 & wait"],
        },
        {"name": "later", "image": "busybox", "commands": ["true"], "dependsOn": ["long"]},
    )
    surroundings.wait_for_run(
        name, lambda run: phases(run)["long"] == "Running" if run.get("status", {}).get("steps") else False
    )
    surroundings.client.cancel_run(surroundings.state.namespace, name)
    run = surroundings.wait_for_end(name)
    assert run["status"]["phase"] == "Cancelled"
    assert phases(run) == {"long": "Cancelled", "later": "Skipped"}
    surroundings.wait_for_archive(run)
    assert surroundings.archived_text(run, "long")[-2:] == ["begun", "asked to stop"]


def test_step_over_its_time_limit_keeps_its_log(surroundings: Surroundings) -> None:
    name = surroundings.start_steps(
        {"name": "slow", "image": "busybox", "commands": ["echo begun", "exec sleep 600"], "timeout": "2s"}
    )
    run = surroundings.wait_for_end(name)
    step = run["status"]["steps"][0]
    assert (step["phase"], step["reason"]) == ("Failed", "TimedOut")
    assert "2s" in step["message"]
    assert "begun" in surroundings.archived_text(run, "slow")


def test_finished_run_leaves_nothing_behind(surroundings: Surroundings) -> None:
    name = surroundings.start_steps({"name": "unit", "image": "busybox", "commands": ["true"]})
    run = surroundings.wait_for_end(name)
    surroundings.wait_for_archive(run)
    surroundings.wait_until_gone(run)
