"""`c8s-runner restore`: files, caches and outputs of earlier steps are put in place."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from c8s.adapters.download import Download
from c8s.adapters.http_transfer import ContentDamaged, Transfer, TransferError, TransferFailed
from c8s.adapters.pod_broker import PodBroker, StoredFiles, StoredOutputs
from c8s.runner.amounts import format_amount, format_count
from c8s.runner.caches import Roots, WantedCache, list_folders, removed_on_failure, render_key
from c8s.runner.endings import Impossible, RunnerError
from c8s.runner.exchange import CacheState, prepare_exchange, write_caches
from c8s.runner.outputs import OUTPUTS_BYTES, write_outputs
from c8s.runner.packing import Report
from c8s.runner.tar_stream import BadArchive
from c8s.runner.unpacking import Unpacker

OUTPUTS_DOCUMENT_BYTES = 8 * OUTPUTS_BYTES
"""JSON may write a character in six."""

FALLBACK_SHOWN_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class WantedRestore:
    """What is to be there: files and outputs of `sources` (`<run uid>/<log name>`), `caches`, the pipe."""

    workspace: Path
    home: Path
    exchange: Path
    outputs: Path
    limit_bytes: int
    sources: tuple[str, ...] = ()
    caches: tuple[WantedCache, ...] = ()


@dataclass(frozen=True, slots=True)
class Tools:
    broker: PodBroker
    transfer: Transfer
    report: Report


def restore(wanted: WantedRestore, tools: Tools) -> None:
    """Put everything in place. Raises RunnerError, TransferError or OSError."""
    prepare_exchange(wanted.exchange)
    if wanted.sources:
        _restore_sources(wanted, tools)
    states = [_restore_cache(cache, wanted, tools) for cache in wanted.caches]
    write_caches(wanted.exchange, states)


def _restore_sources(wanted: WantedRestore, tools: Tools) -> None:
    found = tools.broker.find_files(wanted.sources)
    unpacker = Unpacker({"": wanted.workspace}, wanted.limit_bytes)
    for files in found.files:
        before = unpacker.unpacked.files
        _unpack(files, _locate_again(files, tools), unpacker, tools)
        count = format_count(unpacker.unpacked.files - before, "file")
        tools.report(f"restored {count} of {_name_step(files.source)}, {format_amount(files.size_bytes)}")
    unpacker.finish()
    for outputs in found.outputs:
        _restore_outputs(outputs, wanted.outputs, tools)
    for source in found.missing:
        tools.report(f"nothing is kept of {_name_step(source)}")


def _locate_again(files: StoredFiles, tools: Tools) -> Callable[[], str]:
    def locate() -> str:
        found = tools.broker.find_files([files.source]).files
        same = [one.url for one in found if one.sha256 == files.sha256]
        if not same:
            raise TransferFailed(f"the files of {_name_step(files.source)} are gone")
        return same[0]

    return locate


def _unpack(files: StoredFiles, locate: Callable[[], str], unpacker: Unpacker, tools: Tools) -> None:
    download = Download(tools.transfer, files.url, locate, files.size_bytes, files.sha256)
    try:
        unpacker.unpack(download)
        download.verify()
    except BadArchive as error:
        download.verify()  # damaged on the way, it says nothing of who made it
        raise Impossible("ArchiveRefused", f"{_name_step(files.source)}: {error}") from error


def _restore_outputs(outputs: StoredOutputs, folder: Path, tools: Tools) -> None:
    answer = tools.transfer.send("the object store", "GET", outputs.url)
    if answer.status != 200 or len(answer.body) > OUTPUTS_DOCUMENT_BYTES:
        raise TransferFailed(f"the outputs of {outputs.step} can't be read ({answer.status})")
    try:
        values = json.loads(answer.body)
        write_outputs(folder, outputs.step, values)
    except (ValueError, TypeError, AttributeError) as error:
        raise ContentDamaged(f"the outputs of {outputs.step} are damaged") from error
    tools.report(f"restored {format_count(len(values), 'output')} of {outputs.step}")


def _restore_cache(cache: WantedCache, wanted: WantedRestore, tools: Tools) -> CacheState:
    """A cache that can't be had is told, and is none: the step only takes longer."""
    key = render_key(cache.key, wanted.workspace)
    fallback_keys = [render_key(one, wanted.workspace) for one in cache.fallback_keys]
    roots = Roots(wanted.workspace, wanted.home)
    try:
        with removed_on_failure(cache.paths, roots):
            return _fetch_cache(key, fallback_keys, cache.paths, roots, wanted.limit_bytes, tools)
    except (TransferError, RunnerError) as error:
        tools.report(f"cache {key}: miss ({error})")
        return CacheState(key, is_exact=False)


def _fetch_cache(
    key: str, fallback_keys: Sequence[str], paths: Sequence[str], roots: Roots, limit_bytes: int, tools: Tools
) -> CacheState:
    found = tools.broker.find_cache(key, fallback_keys)
    if found.files is None:
        tools.report(f"cache {key}: miss")
        return CacheState(key, is_exact=False)
    unpacker = Unpacker(roots.as_mapping(), limit_bytes, list_folders(paths))
    _unpack(found.files, _locate_cache_again(found.files, tools), unpacker, tools)
    unpacker.finish()
    is_exact = found.hit == "exact"
    size = format_amount(found.files.size_bytes)
    told = "hit" if is_exact else f"hit of {found.files.source[:FALLBACK_SHOWN_CHARACTERS]}"
    tools.report(f"cache {key}: {told}, {size}")
    return CacheState(key, is_exact)


def _locate_cache_again(files: StoredFiles, tools: Tools) -> Callable[[], str]:
    def locate() -> str:
        again = tools.broker.find_cache(files.source, []).files
        if again is None or again.sha256 != files.sha256:
            raise TransferFailed(f"the cache {files.source} is gone")
        return again.url

    return locate


def _name_step(source: str) -> str:
    return source.rpartition("/")[2]
