"""A step that may take longer than the whole run, whose limit would end it first."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline import limits
from c8s.pipeline.durations import format_duration, parse_duration
from c8s.pipeline.outline import Texts, find_steps, find_text
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    given = _read(find_text(source.data, "timeout"))
    run_seconds = given if given is not None else limits.DEFAULT_RUN_TIMEOUT_SECONDS
    for path, step in find_steps(source):
        texts = find_text(step, "timeout", path=path)
        seconds = _read(texts)
        if path[0] == "finally":
            yield from _check_final(texts, seconds)
        elif seconds is not None and seconds > run_seconds:
            message = (
                f"the step may take {texts[0][1]}, but the whole run only {format_duration(run_seconds)}"
            )
            hint = f"give the pipeline a timeout of {quote(texts[0][1])} or more"
            yield Finding(texts[0][0], message, hint, severity="warning")


def _check_final(texts: Texts, seconds: int | None) -> Iterator[Finding]:
    if seconds is not None and seconds > limits.FINAL_STEPS_SECONDS:
        most = format_duration(limits.FINAL_STEPS_SECONDS)
        message = f"the step may take {texts[0][1]}, but all steps under finally together only {most}"
        yield Finding(texts[0][0], message, f"write {most} or less", severity="warning")


def _read(texts: Texts) -> int | None:
    """Return the seconds of the one text, or None; whether it is a duration is another check's matter."""
    try:
        return parse_duration(texts[0][1]) if texts else None
    except ValueError:
        return None
