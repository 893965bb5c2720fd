"""Amounts as people read them."""

from __future__ import annotations

KIBI = 1024


def format_amount(size_bytes: int) -> str:
    """Return `3.4 MiB`, `12 bytes`."""
    if size_bytes < KIBI:
        return format_count(size_bytes, "byte")
    for unit, bytes_in_it in (("GiB", KIBI**3), ("MiB", KIBI**2)):
        if size_bytes >= bytes_in_it:
            return f"{size_bytes / bytes_in_it:.1f} {unit}"
    return f"{size_bytes / KIBI:.1f} KiB"


def format_count(count: int, what: str) -> str:
    """Return `1 file`, `2 files`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
