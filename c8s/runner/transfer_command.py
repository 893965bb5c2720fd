"""The commands `restore` and `save`: from their arguments to their endings."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from c8s.adapters.http_transfer import Transfer, TransferError, TransferRefused
from c8s.adapters.pod_broker import PodBroker
from c8s.runner.endings import (
    EXIT_BROKEN,
    EXIT_IMPOSSIBLE,
    EXIT_UNREACHABLE,
    RunnerError,
    end,
    print_line,
)
from c8s.runner.restore import Tools, WantedRestore, restore
from c8s.runner.save import WantedSave, save

API_VARIABLE = "C8S_API_URL"
LATER_STATUSES = (401, 404)


def run_restore(options: argparse.Namespace) -> int:
    """Puts files in place and gives the exit code."""
    wanted = WantedRestore(
        workspace=options.workspace,
        home=options.home,
        exchange=options.exchange,
        outputs=options.outputs,
        limit_bytes=options.limit_bytes,
        sources=tuple(options.sources),
        caches=tuple(options.caches),
    )
    return _run(lambda tools: restore(wanted, tools), options)


def run_save(options: argparse.Namespace, has_begun: Callable[[], object]) -> int:
    """Waits for the step, keeps its files and gives the exit code."""
    wanted = WantedSave(
        workspace=options.workspace,
        home=options.home,
        exchange=options.exchange,
        output_file=options.output_file,
        start_limit_seconds=options.start_limit_seconds,
        artifacts=tuple(options.artifact),
        junit=tuple(options.junit),
        when=options.when,
        expire_seconds=options.expire_seconds,
        caches=tuple(options.caches),
        outputs=tuple(options.output),
    )
    return _run(lambda tools: save(wanted, tools, has_begun), options)


def _run(work: Callable[[Tools], None], options: argparse.Namespace) -> int:
    url = os.environ.get(API_VARIABLE, "")
    if not url:
        return end(EXIT_BROKEN, "NoApi", f"{API_VARIABLE} is not set: set C8S_PODS_API_URL of the hooks")
    transfer = Transfer()
    try:
        work(Tools(PodBroker(url, options.token, transfer), transfer, print_line))
    except RunnerError as error:
        return end(error.exit_code, error.reason, str(error))
    except TransferRefused as error:
        return end(_judge(error), "Refused", str(error))
    except TransferError as error:
        return end(EXIT_UNREACHABLE, type(error).__name__, str(error))
    except OSError as error:
        return end(EXIT_BROKEN, "FilesBroken", f"{error.strerror or error}: {error.filename or ''}")
    return end(0, "Completed", "done")


def _judge(refusal: TransferRefused) -> int:
    """A pod that the api does not know yet, or no longer, is not the user's fault."""
    return EXIT_UNREACHABLE if refusal.status in LATER_STATUSES else EXIT_IMPOSSIBLE
