"""`c8s-runner save`: when the step has ended, what it made is brought to the object store."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from c8s.adapters.http_transfer import TransferError, TransferRefused
from c8s.adapters.part_upload import PartUpload, UploadTooLarge
from c8s.adapters.pod_broker import Kind, Stored, Upload
from c8s.runner.amounts import format_amount, format_count
from c8s.runner.caches import WantedCache, split_paths
from c8s.runner.endings import Impossible
from c8s.runner.exchange import await_step, read_caches
from c8s.runner.outputs import read_outputs
from c8s.runner.packing import Packer
from c8s.runner.restore import Tools
from c8s.runner.selection import build_selection

CONFLICT = 409
FORBIDDEN = 403
TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class WantedSave:
    """What is to be kept. `artifacts` and `junit` are globs; `when` is success, failure or always."""

    workspace: Path
    home: Path
    exchange: Path
    output_file: Path
    start_limit_seconds: float
    artifacts: tuple[str, ...] = ()
    junit: tuple[str, ...] = ()
    when: str = "success"
    expire_seconds: int | None = None
    caches: tuple[WantedCache, ...] = ()
    outputs: tuple[str, ...] = ()


def save(wanted: WantedSave, tools: Tools, has_begun: Callable[[], object]) -> None:
    """Wait for the step's end, then keep what is to be kept. Raises RunnerError, TransferError or OSError.

    Artifacts come first: a failing step's are the most needed.
    """
    exit_code = await_step(wanted.exchange, wanted.start_limit_seconds, has_begun)
    succeeded = exit_code == 0
    if (wanted.artifacts or wanted.junit) and wanted.when in (
        "always",
        "success" if succeeded else "failure",
    ):
        _save_artifacts(wanted, tools)
    if succeeded and wanted.outputs:
        _save_outputs(wanted, tools)
    if succeeded and wanted.caches:
        _save_caches(wanted, tools)


def _save_artifacts(wanted: WantedSave, tools: Tools) -> None:
    globs = {"": [*wanted.artifacts, *wanted.junit]}
    stored = _upload("artifacts", "", globs, {"": wanted.workspace}, tools, wanted.expire_seconds)
    amount = f"{format_count(stored.files, 'file')}, {format_amount(stored.size_bytes)}"
    tools.report(f"saved {amount}, sha256:{stored.sha256}")


def _save_outputs(wanted: WantedSave, tools: Tools) -> None:
    parsed = read_outputs(wanted.output_file, wanted.outputs)
    for name in parsed.undeclared:
        tools.report(f"output {name} is not declared in `outputs`: not saved")
    for name in wanted.outputs:
        if name not in parsed.values:
            tools.report(f"output {name} was not written to $C8S_OUTPUT")
    tools.broker.put_outputs(dict(parsed.values))
    tools.report(f"saved {format_count(len(parsed.values), 'output')}")


def _save_caches(wanted: WantedSave, tools: Tools) -> None:
    """A cache that can't be saved is told and fails nothing: the next run only takes longer."""
    states = read_caches(wanted.exchange)
    for cache, state in zip(wanted.caches, states, strict=False):
        if state.is_exact:
            continue
        try:
            tools.report(f"cache {state.key}: {_save_cache(cache, state.key, wanted, tools)}")
        except (TransferError, Impossible, OSError) as error:
            tools.report(f"cache {state.key}: not saved: {error}")


def _save_cache(cache: WantedCache, key: str, wanted: WantedSave, tools: Tools) -> str:
    globs = split_paths(cache.paths)
    roots = {"home": wanted.home, "workspace": wanted.workspace}
    try:
        stored = _upload("cache", key, globs, roots, tools)
    except TransferRefused as error:
        if error.status == CONFLICT:
            return "not saved: it exists already"
        if error.status == FORBIDDEN:
            return "not saved: runs of forks may not"
        raise
    return f"saved, {format_amount(stored.size_bytes)}"


def _upload(
    kind: Kind,
    key: str,
    globs: dict[str, list[str]],
    roots: dict[str, Path],
    tools: Tools,
    expire_seconds: int | None = None,
) -> Stored:
    """Pack what fits the globs of each root, and send it as it comes."""
    upload = tools.broker.begin_upload(kind, key)
    try:
        return _send(upload, globs, roots, tools, expire_seconds)
    except UploadTooLarge as error:
        raise _too_large(upload) from error
    except TransferRefused as error:
        if error.status != TOO_LARGE:
            raise
        raise _too_large(upload) from error


def _send(
    upload: Upload,
    globs: dict[str, list[str]],
    roots: dict[str, Path],
    tools: Tools,
    expire_seconds: int | None,
) -> Stored:
    def sign(number: int) -> str:
        return tools.broker.sign_part(upload, number)

    try:
        with PartUpload(tools.transfer, sign, upload.part_bytes, upload.max_bytes) as sent:
            packer = Packer(sent.write, tools.report)
            for prefix in sorted(globs):
                _pack(packer, roots[prefix], globs[prefix], prefix, tools)
            packed = packer.finish()
            parts = sent.finish()
            stored = Stored(sent.sha256, sent.size_bytes, packed.files, packed.listed, expire_seconds)
        tools.broker.complete_upload(upload, parts, stored)
    except BaseException:
        with suppress(TransferError):
            tools.broker.abort_upload(upload)
        raise
    return stored


def _pack(packer: Packer, root: Path, globs: Sequence[str], prefix: str, tools: Tools) -> None:
    selection = build_selection(globs)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        packer.add(selection.find(folder), prefix)
    finally:
        os.close(folder)
    for glob in selection.unmatched:
        tools.report(f'no file matches "{glob}"')


def _too_large(upload: Upload) -> Impossible:
    return Impossible(
        "ArtifactsTooLarge", f"more than {format_amount(upload.max_bytes)} compressed, which is the limit"
    )
