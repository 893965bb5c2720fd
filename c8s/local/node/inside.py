"""Runs a command beside a container's process: in its mounts, with its environment."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from c8s.local.node.process_tree import find_descendants

NAMESPACE_OPTIONS = {"mnt": "--mount", "pid": "--pid", "ipc": "--ipc", "uts": "--uts"}
MAX_OUTPUT_CHARACTERS = 1000


def run_inside(pid: int, command: Sequence[str], timeout_seconds: float) -> str:
    """ "" when it ended with 0, else its output or why it could not run. `pid` is the container's first."""
    target = _find_inner(pid)
    try:
        environment, directory = _read_environment(target), str(Path(f"/proc/{target}/cwd").readlink())
    except OSError as error:
        return f"the container's process is gone: {error.strerror}"
    argv = [*_enter_options(target, directory), *command]
    inner = directory if argv == list(command) else "/"
    return run_bounded(argv, timeout_seconds, environment, inner)


def run_bounded(
    argv: Sequence[str],
    timeout_seconds: float,
    environment: dict[str, str] | None = None,
    directory: str = "/",
) -> str:
    """As `run_inside`, for a command of this machine."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_seconds,
            check=False,
            env=environment,
            cwd=directory,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return f'command "{" ".join(argv)}" timed out'
    except OSError as error:
        return f"{argv[0] if argv else 'no command'}: {error.strerror}"
    if done.returncode == 0:
        return ""
    output = done.stdout.decode(errors="replace").strip()[-MAX_OUTPUT_CHARACTERS:]
    return output or f"command terminated with exit code {done.returncode}"


def _find_inner(pid: int) -> int:
    """The first process with mounts of its own: a sandbox's outermost process has the host's."""
    candidates = [pid, *find_descendants(pid)]
    own = _namespace("self", "mnt")
    return next((found for found in candidates if _namespace(str(found), "mnt") not in ("", own)), pid)


def _enter_options(pid: int, directory: str) -> list[str]:
    """`nsenter` with every namespace that is not ours; nothing where all are."""
    others = [
        name for name in NAMESPACE_OPTIONS if _namespace(str(pid), name) not in ("", _namespace("self", name))
    ]
    if not others:
        return []
    options = [NAMESPACE_OPTIONS[name] for name in others]
    if _namespace(str(pid), "user") != _namespace("self", "user"):
        options += ["--user", "--preserve-credentials"]
    program = shutil.which("nsenter") or "nsenter"
    return [program, f"--target={pid}", *options, f"--wdns={directory}", "--"]


def _namespace(pid: str, name: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/{name}").readlink())
    except OSError:
        return ""


def _read_environment(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    pairs = (entry.decode(errors="surrogateescape").partition("=") for entry in entries if b"=" in entry)
    return {name: value for name, _, value in pairs}
