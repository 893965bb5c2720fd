"""`c8s artifacts`: what the steps of a run have kept, listed or downloaded."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from c8s.adapters.api_client import ApiClient, ApiError
from c8s.adapters.artifact_download import DamagedDownload
from c8s.cli.connection import add_connection_arguments, find_connection
from c8s.cli.errors import ExitCode, Fault, UsageError
from c8s.cli.rendering import safe
from c8s.runner.amounts import format_amount, format_count
from c8s.runner.endings import Impossible
from c8s.runner.outputs import STEP
from c8s.runner.tar_stream import BadArchive
from c8s.runner.unpacking import Unpacker

MAX_CONTENT_BYTES = 100 * 1024**3
HTTP_NOT_FOUND = 404
GONE = "its files are gone: their time is over"


@dataclass(frozen=True, slots=True)
class Kept:
    """The files of one step: `run` and `log` say where they lie, of a step taken over in an earlier run.

    `manifest` is empty where they are gone.
    """

    step: str
    run: str
    log: str
    manifest: Mapping[str, Any]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("artifacts", help="list or download what the steps of a run have kept")
    parser.add_argument("run_name", metavar="RUN", help="the name of the run")
    parser.add_argument("step", metavar="STEP", nargs="?", help="only this step (default: all)")
    parser.add_argument(
        "--download",
        type=Path,
        metavar="DIR",
        help="unpack the files there; with several steps in a folder for each",
    )
    add_connection_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    connection = find_connection(arguments, os.environ, Path.cwd())
    client, namespace = connection.client(), connection.namespace
    console = Console(highlight=False)
    found = find_kept(client, namespace, arguments.run_name, arguments.step)
    if not found:
        console.print(f"no step of {safe(arguments.run_name)} has kept files", soft_wrap=True)
    elif arguments.download is None:
        print_kept(console, found)
    else:
        download_all(client, namespace, console, found, arguments.download)
    return ExitCode.GOOD


def download_all(
    client: ApiClient, namespace: str, console: Console, found: list[Kept], target: Path
) -> None:
    """Every step's files into a folder of its own, or of a single step into `target` itself."""
    for kept in found:
        if not kept.manifest:
            console.print(f"{safe(kept.step)}: {GONE}", style="yellow", soft_wrap=True)
            continue
        folder = target / name_folder(kept.step) if len(found) > 1 else target
        count = unpack(client, namespace, kept, folder)
        console.print(f"{safe(kept.step)}: {count} in {safe(folder)}", soft_wrap=True)


def name_folder(step: str) -> str:
    """The folder of a step's files. Raises `Fault`: whoever may write a status may call a step `../..`."""
    if not STEP.fullmatch(step):
        raise Fault(
            f"the run has a step {step[:80]!a}, which c8s did not name", "download other steps by name"
        )
    return step


def find_kept(client: ApiClient, namespace: str, run_name: str, wanted: str | None) -> list[Kept]:
    """What is kept of the run's steps, or of the one wanted. Raises `UsageError` for an unknown step."""
    found = client.get_run(namespace, run_name)
    steps = found.get("status", {}).get("steps", [])
    names = [step["name"] for step in steps]
    if wanted and wanted not in names:
        raise UsageError(f"the run has no step {wanted}", f"it has: {', '.join(names) or 'none yet'}")
    chosen = [step for step in steps if step["name"] == wanted or (not wanted and step.get("artifacts"))]
    return [_locate(client, namespace, found, step) for step in chosen]


def _locate(client: ApiClient, namespace: str, run: Mapping[str, Any], step: Mapping[str, Any]) -> Kept:
    name, source, entry = step["name"], run, step
    if step.get("reusedFrom"):
        source = client.get_run(namespace, step["reusedFrom"])
        entry = next((one for one in source["status"].get("steps", []) if one["name"] == name), step)
    log = entry.get("log") or name
    try:
        manifest = client.get_artifacts(namespace, source["name"], log)
    except ApiError as error:
        if error.status != HTTP_NOT_FOUND or not step.get("artifacts"):
            raise
        manifest = {}
    return Kept(name, source["name"], log, manifest)


def print_kept(console: Console, found: list[Kept]) -> None:
    """Every step with its files; of very many the first thousand."""
    for kept in found:
        manifest = kept.manifest
        if not manifest:
            console.print(f"[bold]{safe(kept.step)}[/]  {GONE}", soft_wrap=True)
            continue
        size = format_amount(manifest["sizeBytes"])
        console.print(
            f"[bold]{safe(kept.step)}[/]  {format_count(manifest['files'], 'file')}, {size} compressed",
            soft_wrap=True,
        )
        if manifest.get("expires"):
            console.print(f"  kept until {safe(manifest['expires'])}", style="dim")
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(overflow="fold")
        for one in manifest["paths"]:
            table.add_row(f"  {format_amount(one['sizeBytes'])}", safe(one["path"]))
        console.print(table)


def unpack(client: ApiClient, namespace: str, kept: Kept, folder: Path) -> str:
    """Unpack into `folder`, which is made, and say how many files. Raises `UsageError` or `Fault`."""
    unpacker = Unpacker({"": folder}, MAX_CONTENT_BYTES)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with client.download_artifacts(namespace, kept.run, kept.log) as download:
            unpacker.unpack(download)
            unpacker.finish()
            download.verify(kept.manifest["sha256"])
    except (BadArchive, DamagedDownload) as error:
        raise Fault(f"the files of {kept.step} can't be unpacked: {error}", "try again") from error
    except Impossible as error:
        raise UsageError(str(error), "name another folder, an empty one") from error
    except OSError as error:
        raise UsageError(f"the files can't be written to {folder}: {error.strerror or error}") from error
    return format_count(unpacker.unpacked.files, "file")
