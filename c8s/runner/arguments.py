"""The arguments of the runner's commands. `c8s/objects` writes them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from c8s.runner.caches import WantedCache


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(prog="c8s-runner", description="Runs beside a step's container.")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_checkout(commands.add_parser("checkout", help="fill the workspace with a commit"))
    _add_restore(commands.add_parser("restore", help="put files, caches and outputs in place"))
    _add_save(commands.add_parser("save", help="wait for the step's end and keep its files"))
    return parser


def _add_checkout(checkout: argparse.ArgumentParser) -> None:
    checkout.add_argument("--repository", required=True, metavar="URL", help="https or ssh address")
    checkout.add_argument("--commit", required=True, metavar="SHA", help="all 40 hex digits")
    checkout.add_argument(
        "--depth", type=_whole_number, default=1, metavar="N", help="commits of history, 0 for all"
    )
    checkout.add_argument("--submodules", action="store_true", help="with submodules, at any level")
    checkout.add_argument("--lfs", action="store_true", help="with the files that git-lfs keeps elsewhere")
    checkout.add_argument(
        "--keep", action="store_true", help="leave a workspace alone that holds the commit already"
    )
    checkout.add_argument("--workspace", required=True, type=Path, metavar="DIR", help="emptied first")
    checkout.add_argument("--credentials", type=Path, metavar="DIR", help="a mounted Secret")
    checkout.add_argument("--allowed-host", action="append", default=[], metavar="HOST[:PORT]")


def _add_restore(restore: argparse.ArgumentParser) -> None:
    _add_places(restore)
    restore.add_argument("--outputs", required=True, type=Path, metavar="DIR", help="for earlier outputs")
    restore.add_argument("--limit-bytes", required=True, type=_whole_number, metavar="N")
    restore.add_argument("--from", action="append", default=[], dest="sources", metavar="UID/LOG")


def _add_save(save: argparse.ArgumentParser) -> None:
    _add_places(save)
    save.add_argument(
        "--output-file", required=True, type=Path, metavar="FILE", help="the step's $C8S_OUTPUT"
    )
    save.add_argument("--start-limit-seconds", type=_whole_number, default=900, metavar="N")
    save.add_argument("--artifact", action="append", default=[], metavar="GLOB")
    save.add_argument("--junit", action="append", default=[], metavar="GLOB")
    save.add_argument("--when", choices=("success", "failure", "always"), default="success")
    save.add_argument("--expire-seconds", type=_whole_number, metavar="N")
    save.add_argument("--output", action="append", default=[], metavar="NAME")


def _add_places(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workspace", required=True, type=Path, metavar="DIR")
    command.add_argument("--home", required=True, type=Path, metavar="DIR")
    command.add_argument("--exchange", required=True, type=Path, metavar="DIR")
    command.add_argument("--token", required=True, type=Path, metavar="FILE", help="for c8s's api")
    command.add_argument(
        "--cache", action="append", default=[], type=_parse_cache, metavar="JSON", dest="caches"
    )


def _whole_number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def _parse_cache(text: str) -> WantedCache:
    """Read `{"key":"…","paths":["…"],"fallbackKeys":["…"]}`."""
    from c8s.runner.caches import WantedCache

    try:
        document = json.loads(text)
        fallback_keys = tuple(document.get("fallbackKeys", ()))
        return WantedCache(document["key"], tuple(document["paths"]), fallback_keys)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise argparse.ArgumentTypeError("must be JSON with key and paths") from error
