"""Which symbolic links may be in an archive: those that stay inside wherever their root lies.

A target climbs first (`../../`) and then only descends, and climbs no higher than the root. As a link's own
folder is always a real one, climbing from it is safe; and whatever link it descends through obeys the same
rule. A `..` after a name could leave by such a link.
"""

from __future__ import annotations

TARGET_CHARACTERS = 1024


def explain_bad_target(path: str, target: str) -> str:
    """Return why a link at `path`, relative to the root, may not lead to `target`; empty where it may."""
    if target.startswith("/"):
        return "is absolute; make it relative"
    if not target or len(target) > TARGET_CHARACTERS or "\0" in target:
        return f"is empty or has more than {TARGET_CHARACTERS} characters"
    parts = [part for part in target.split("/") if part not in ("", ".")]
    climbs = next((place for place, part in enumerate(parts) if part != ".."), len(parts))
    if climbs > path.count("/"):
        return "leads out of its root"
    return 'has ".." after a name' if ".." in parts[climbs:] else ""
