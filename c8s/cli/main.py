"""`c8s`: one module per verb, each with `add_parser(subparsers)` and `run(arguments) -> exit code`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from c8s import __version__
from c8s.adapters.api_client import ApiError
from c8s.cli.errors import CliError, ExitCode

VERBS = ("validate", "exec", "run", "get", "logs", "cancel", "rerun", "approve", "artifacts", "local")
DESCRIPTION = "c8s: continuous integration that lives inside Kubernetes."
EPILOG = "exit codes: 0 good, 1 the run failed or the file has problems, 2 wrong use, 3 c8s's own fault"


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = build_parser(words).parse_args(words)
    try:
        return int(arguments.run(arguments))
    except CliError as error:
        return tell(str(error), error.hint, error.exit_code)
    except ApiError as error:
        wrong_use = error.status in (400, 401, 403, 404, 409, 422)
        return tell(error.message, error.hint, ExitCode.WRONG_USE if wrong_use else ExitCode.FAULT)
    except KeyboardInterrupt:
        return tell("interrupted", "", ExitCode.FAULT)
    except BrokenPipeError:
        sys.stderr.close()
        return ExitCode.GOOD


def build_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Imports only the verb that is asked for, where it is clear which: `c8s validate` then starts fast."""
    parser = argparse.ArgumentParser(prog="c8s", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"c8s {__version__}")
    subparsers = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    asked_for = [word for word in words[:1] if word in VERBS]
    for verb in asked_for or VERBS:
        importlib.import_module(f"c8s.cli.{verb}").add_parser(subparsers)
    return parser


def tell(message: str, hint: str, exit_code: ExitCode) -> int:
    print(f"error: {message}", file=sys.stderr)
    if hint:
        print(f"  hint: {hint}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
