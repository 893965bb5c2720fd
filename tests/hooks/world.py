"""A small world around the hook: it applies answers as Metacontroller does, and things happen to Jobs.

The hook's views of the run and of the Jobs may lag behind the truth, each by itself, but never go back.
"""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from c8s.run.times import format_time
from hooks.app import CHILD_KINDS
from hooks.contract import check_sync_answer
from hooks.pipelinerun import JOBS, sync_pipelinerun
from tests.hooks.case_files import SETTINGS, build_request

Object = dict[str, Any]

START = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
TERMINAL = {"Succeeded", "Failed", "Skipped", "Cancelled"}


class World:
    """The truth about one run, what the hook sees of it, and the names of Jobs whose pods have run."""

    def __init__(self, pipeline: Object) -> None:
        self.now = START
        self.run: Object = build_request({"parent": {"spec": {"pipelineSpec": pipeline}}})["parent"]
        self.jobs: dict[str, Object] = {}
        self.ran: set[str] = set()
        self.seen_run = copy.deepcopy(self.run)
        self.seen_jobs: dict[str, Object] = {}
        self.resync_after_seconds = 0

    @property
    def is_over(self) -> bool:
        return self.run.get("status", {}).get("phase") in ("Succeeded", "Failed", "Cancelled")

    def sync(self, see_run: bool = True, see_jobs: bool = True) -> Object:
        """Ask the hook, with its views brought up to date where asked, and do what it answers."""
        if see_run:
            self.seen_run = copy.deepcopy(self.run)
        if see_jobs:
            self.seen_jobs = copy.deepcopy(self.jobs)
        request = {"parent": self.seen_run, "children": {JOBS: self.seen_jobs}, "finalizing": False}
        answer = sync_pipelinerun(request, SETTINGS, self.now)
        check_sync_answer(answer, CHILD_KINDS, finalizing=False)
        self._delete_unwanted(answer)
        self._create_wanted(answer)
        self._write_status(answer["status"])
        self.resync_after_seconds = answer.get("resyncAfterSeconds", 0)
        return answer

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def cancel(self) -> None:
        self.run["spec"]["cancel"] = True
        self.run["metadata"].setdefault("managedFields", []).append(
            {"time": self._time(), "fieldsV1": {"f:spec": {"f:cancel": {}}}}
        )

    def make_ready(self, job: Object) -> None:
        if not _has_ended(job):
            job["status"] = {"startTime": self._time(), "active": 1, "ready": 1}
            self.ran.add(job["metadata"]["name"])

    def lose_pod(self, job: Object) -> None:
        if not _has_ended(job):
            job["status"]["ready"] = 0

    def end(self, job: Object, exit_code: int) -> None:
        if _has_ended(job):
            return
        self.ran.add(job["metadata"]["name"])
        kind = "Failed" if exit_code else "Complete"
        condition = {"type": kind, "status": "True", "lastTransitionTime": self._time()}
        job["status"] = {"startTime": self._time(), "conditions": [condition]}
        self._annotate(job, "exit-code-of-the-pod", str(exit_code))

    def tell_result(self, job: Object) -> None:
        if _has_ended(job):
            exit_code = int(job["metadata"]["annotations"]["exit-code-of-the-pod"])
            reason = "Error" if exit_code else "Completed"
            self._annotate(job, "c8s.dev/result", json.dumps({"exitCode": exit_code, "reason": reason}))

    def archive(self, job: Object) -> None:
        if _has_ended(job):
            self._annotate(job, "c8s.dev/archived", "true")

    def block(self, job: Object) -> None:
        """The image can't be pulled."""
        if not job["status"].get("ready") and not _has_ended(job):
            waiting = {"reason": "ImagePullBackOff", "message": "no such image", "since": self._time()}
            self._annotate(job, "c8s.dev/waiting", json.dumps(waiting))

    def delete(self, job: Object) -> None:
        """Somebody deletes a Job whose step the hook has seen recorded as Running."""
        steps = self.seen_run.get("status", {}).get("steps", [])
        running = {step.get("jobName") for step in steps if step["phase"] == "Running"}
        name = job["metadata"]["name"]
        if name in running:
            self.jobs.pop(f"team/{name}")

    def finish_everything(self) -> None:
        """Let every Job end well, be told and be archived, as it happens when nobody interferes."""
        for job in self.jobs.values():
            self.end(job, 0)
            self.tell_result(job)
            self.archive(job)

    def _delete_unwanted(self, answer: Object) -> None:
        wanted = {child["metadata"]["name"] for child in answer["children"]}
        for key in self.seen_jobs:
            name = key.rpartition("/")[2]
            if name not in wanted and key in self.jobs:
                self._check_may_go(self.jobs.pop(key), answer)

    def _check_may_go(self, job: Object, answer: Object) -> None:
        """What ended by itself may go only when it is archived and was recorded before this answer."""
        name = job["metadata"]["labels"]["c8s.dev/step"]
        steps = {step["name"]: step for step in self.seen_run["status"].get("steps", [])}
        steps_now = {step["name"]: step for step in answer["status"].get("steps", [])}
        # A view that knew nothing of the Job may have recorded that its step never started.
        if steps_now[name].get("reason") in ("RunCancelled", "RunTimedOut"):
            return
        assert steps[name]["phase"] in TERMINAL
        assert not _has_ended(job) or job["metadata"]["annotations"].get("c8s.dev/archived") == "true"

    def _create_wanted(self, answer: Object) -> None:
        for child in answer["children"]:
            key = f"{child['metadata']['namespace']}/{child['metadata']['name']}"
            if key in self.seen_jobs or key in self.jobs:
                continue
            assert child["metadata"]["name"] not in self.ran, "a Job that has run is made again"
            job = copy.deepcopy(child)
            job["metadata"] |= {"creationTimestamp": self._time(), "annotations": {}}
            job["status"] = {}
            self.jobs[key] = job

    def _write_status(self, status: Object) -> None:
        before = self.run.get("status", {})
        if self.is_over:
            assert status == {key: value for key, value in before.items() if key in status}
        phases = {step["name"]: step["phase"] for step in before.get("steps", [])}
        for step in status.get("steps", []):
            if phases.get(step["name"]) in TERMINAL:
                assert step["phase"] == phases[step["name"]], "a terminal phase has changed"
        if status != before:
            self.run["status"] = copy.deepcopy(status)
            entries = [
                one for one in self.run["metadata"].get("managedFields", []) if "subresource" not in one
            ]
            written = {"subresource": "status", "time": self._time()}
            self.run["metadata"]["managedFields"] = [*entries, written]

    def _annotate(self, job: Object, name: str, value: str) -> None:
        job["metadata"]["annotations"][name] = value

    def _time(self) -> str:
        return format_time(self.now)


def _has_ended(job: Object) -> bool:
    return "conditions" in job["status"]
