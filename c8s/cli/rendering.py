"""How runs and steps look in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from c8s.cli.step_notes import describe_step
from c8s.cli.terminal_text import terminal_safe

PHASES: Mapping[str, tuple[str, str]] = {
    "Pending": ("·", "dim"),
    "Queued": ("○", "cyan"),
    "Running": ("●", "blue"),
    "Succeeded": ("✓", "green"),
    "Failed": ("✗", "red"),
    "Skipped": ("–", "dim"),
    "Cancelled": ("⊘", "yellow"),
}
FINAL_PHASES = frozenset({"Succeeded", "Failed", "Cancelled"})


def is_finished(run: Mapping[str, Any]) -> bool:
    return run.get("status", {}).get("phase") in FINAL_PHASES


def phase_text(phase: str) -> Text:
    """The phase's sign and word; the sign tells it where there are no colours."""
    sign, style = PHASES.get(phase, ("?", ""))
    return Text(f"{sign} {phase}", style=style)


def safe(value: object) -> str:
    """A value somebody else chose, for a cell of a table."""
    return escape(terminal_safe(str(value), colours=False))


def age(since: str | None, until: str | None, now: datetime) -> str:
    """`12s`, `4m10s`, `3h05m`, `2d04h` between two RFC 3339 times; `now` where the second is missing."""
    if not since:
        return ""
    end = parse_time(until) if until else now
    seconds = max(0, int((end - parse_time(since)).total_seconds()))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    if seconds < 86400:
        return f"{seconds // 3600}h{seconds % 3600 // 60:02}m"
    return f"{seconds // 86400}d{seconds % 86400 // 3600:02}h"


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def runs_table(runs: Sequence[Mapping[str, Any]], now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("RUN", "PHASE", "STEPS", "BRANCH", "COMMIT", "TOOK", "AGE"):
        table.add_column(heading, no_wrap=heading not in ("BRANCH",), overflow="ellipsis")
    for run in runs:
        spec, status = run.get("spec", {}), run.get("status", {})
        table.add_row(
            safe(run["name"]),
            phase_text(status.get("phase", "Pending")),
            safe(status.get("progress", "")),
            safe(spec.get("branch") or spec.get("tag") or ""),
            safe(status.get("commit") or spec.get("commit") or "")[:10],
            age(status.get("startTime"), status.get("completionTime"), now),
            age(run.get("createdAt"), None, now),
        )
    return table


def steps_table(run: Mapping[str, Any], now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("STEP", no_wrap=True)
    table.add_column("PHASE", no_wrap=True)
    table.add_column("TOOK", no_wrap=True)
    table.add_column("WHY", overflow="fold")
    for step in run.get("status", {}).get("steps", []):
        table.add_row(
            safe(step["name"]),
            phase_text(step["phase"]),
            age(step.get("startTime"), step.get("completionTime"), now),
            _explain(step),
        )
    return table


def _explain(step: Mapping[str, Any]) -> str:
    """The step's reason, and below it what else there is to say."""
    notes = [f"[dim]{safe(note)}[/]" for note in describe_step(step)]
    why = "" if step.get("reusedFrom") else safe(reason_of(step))  # the notes say it with the run's name
    return "\n".join([why, *notes] if why else notes)


def reason_of(step: Mapping[str, Any]) -> str:
    """Why a step stands where it stands, in one line."""
    waiting = step.get("waiting", {})
    reason = step.get("reason") or waiting.get("reason") or ""
    message = step.get("message") or waiting.get("message") or ""
    if reason and message:
        return f"{reason}: {message}"
    return reason or message


def run_summary(run: Mapping[str, Any], now: datetime) -> Text:
    """`my-run Failed after 12s: StepFailed: …`."""
    status = run.get("status", {})
    line = Text.assemble((terminal_safe(run["name"], colours=False), "bold"), " ")
    line.append_text(phase_text(status.get("phase", "Pending")))
    if took := age(status.get("startTime"), status.get("completionTime"), now):
        line.append(f" after {took}" if is_finished(run) else f" for {took}")
    if why := reason_of(status):
        line.append(f"\n{terminal_safe(why, colours=False)}")
    return line
