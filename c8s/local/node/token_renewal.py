"""ServiceAccount tokens in a running pod's volumes: renewed before they expire, as the kubelet does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from c8s.adapters.cluster import Object
from c8s.local.node.volumes import (
    DEFAULT_FILE_MODE,
    DEFAULT_TOKEN_SECONDS,
    TokenSource,
    VolumeFile,
    write_file,
)

TOKEN_SHARE = 0.8
"""A token is renewed when so much of its time is over, or after a day (token_manager.go)."""

LONGEST_TOKEN_SECONDS = 24 * 3600.0


def renew_tokens(volumes: Path, pod: Object, tokens: TokenSource, now: float) -> float:
    """Renews what is due under `volumes`; `now` in epoch seconds. Raises ClusterError, OSError.

    Answers in how many seconds the next is due, infinite without any.
    """
    waits = [float("inf")]
    for volume in pod["spec"].get("volumes") or []:
        for source, mode in _token_sources(volume):
            file = volumes / volume["name"] / source["path"]
            if file.exists():
                waits.append(_renew_token(file, source, mode, pod, tokens, now))
    return min(waits)


def _token_sources(volume: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], int]]:
    projected = volume.get("projected") or {}
    for source in projected.get("sources") or []:
        if "serviceAccountToken" in source:
            yield source["serviceAccountToken"], projected.get("defaultMode", DEFAULT_FILE_MODE)


def _renew_token(
    file: Path, source: Mapping[str, Any], mode: int, pod: Object, tokens: TokenSource, now: float
) -> float:
    seconds = int(source.get("expirationSeconds", DEFAULT_TOKEN_SECONDS))
    lasts_seconds = min(seconds * TOKEN_SHARE, LONGEST_TOKEN_SECONDS)
    left_seconds = file.stat().st_mtime + lasts_seconds - now
    if left_seconds > 0:
        return left_seconds
    token = tokens.request_token(pod, source.get("audience") or "", seconds)
    draft = VolumeFile(f".{file.name}.draft", token.encode(), mode)
    write_file(file.parent, draft)
    (file.parent / draft.path).rename(file)
    return lasts_seconds
