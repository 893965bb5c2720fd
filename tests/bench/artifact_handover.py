"""How long a step's file of 1 GiB takes to the object store and to the next step, beside a plain copy.

The store is the local cluster's own. A plain copy is one PUT and one GET by presigned addresses, from and to
a file; a hand-over is `save` and `restore` in processes of their own, with multipart upload, compression,
checksums and unpacking. The content does not compress.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import urllib3
from botocore.config import Config

from c8s.adapters.http_transfer import Transfer
from c8s.adapters.pod_broker import Part, Restorable, Stored, StoredFiles, Upload
from c8s.local.object_store import object_store_command, wait_until_ready
from c8s.runner.exchange import prepare_exchange
from c8s.runner.restore import Tools, WantedRestore, restore
from c8s.runner.save import WantedSave, save

SIZE_BYTES = 1024**3
BLOCK_BYTES = 1024**2
PART_BYTES = 16 * 1024**2
REPEATS = 3
BUCKET, KEYS = "c8s", ("bench", "bench-secret")
SOURCE = "uid/build"


def measure() -> Iterator[str]:
    """One line on time, one on memory."""
    with tempfile.TemporaryDirectory() as folder, serve_store(Path(folder)) as port:
        work = Path(folder)
        fill(work / "large")
        plain = [copy_plainly(work, port) for _ in range(REPEATS)]
        rounds = [hand_over(work, port) for _ in range(REPEATS)]
    handed_seconds = statistics.median(seconds for seconds, _ in rounds)
    plain_seconds = statistics.median(plain)
    peak_mib = max(peak for _, peak in rounds) / 1024**2
    yield (
        f"1 GiB from step to step: {handed_seconds:.1f} s, "
        f"{handed_seconds / plain_seconds:.2f} times a plain copy ({plain_seconds:.1f} s)"
    )
    yield f"memory of save and restore: at most {peak_mib:.0f} MiB more than they start with"


def fill(path: Path) -> None:
    block = random.Random(1).randbytes(BLOCK_BYTES)
    with path.open("wb") as file:
        for number in range(SIZE_BYTES // BLOCK_BYTES):
            file.write(block[number % 977 :] + block[: number % 977])


@contextmanager
def serve_store(folder: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(object_store_command(folder, port, *KEYS), stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_ready(port)
            yield port
        finally:
            process.terminate()


def open_client(port: int):
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id=KEYS[0],
        aws_secret_access_key=KEYS[1],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


def copy_plainly(work: Path, port: int) -> float:
    client, pool = open_client(port), urllib3.PoolManager(blocksize=BLOCK_BYTES)
    named = {"Bucket": BUCKET, "Key": "plain"}
    began = time.monotonic()
    with (work / "large").open("rb") as file:
        url = client.generate_presigned_url("put_object", Params=named)
        pool.request("PUT", url, body=file, headers={"Content-Length": str(SIZE_BYTES)})
    url = client.generate_presigned_url("get_object", Params=named)
    with pool.request("GET", url, preload_content=False) as answer, (work / "copy").open("wb") as copy:
        shutil.copyfileobj(answer, copy, BLOCK_BYTES)
    seconds = time.monotonic() - began
    assert (work / "copy").stat().st_size == SIZE_BYTES
    (work / "copy").unlink()
    client.delete_object(**named)
    return seconds


def hand_over(work: Path, port: int) -> tuple[float, int]:
    """Seconds of both together, and the larger of their growths in bytes."""
    pod = work / "pod"
    for name in ("workspace", "exchange"):
        (pod / name).mkdir(parents=True)
    os.link(work / "large", pod / "workspace" / "large")
    seconds, peaks = 0.0, []
    for way in ("save", "restore"):
        began = time.monotonic()
        command = [sys.executable, "-m", "tests.bench.artifact_handover", way, str(pod), str(port)]
        peaks.append(int(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        seconds += time.monotonic() - began
        (pod / "workspace" / "large").unlink()
    shutil.rmtree(pod)
    return seconds, max(peaks)


class DirectBroker:
    """The api's part, done on the spot: what it costs is measured elsewhere."""

    def __init__(self, port: int, folder: Path) -> None:
        self._client = open_client(port)
        self._named = {"Bucket": BUCKET, "Key": "handed"}
        self._manifest = folder / "manifest"

    def begin_upload(self, kind: str, key: str) -> Upload:
        upload_id = self._client.create_multipart_upload(**self._named)["UploadId"]
        return Upload("artifacts", "", upload_id, PART_BYTES, 2 * SIZE_BYTES)

    def sign_part(self, upload: Upload, number: int) -> str:
        params = {**self._named, "UploadId": upload.upload_id, "PartNumber": number}
        return str(self._client.generate_presigned_url("upload_part", Params=params))

    def complete_upload(self, upload: Upload, parts: list[Part], stored: Stored) -> None:
        listed = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        self._client.complete_multipart_upload(
            **self._named, UploadId=upload.upload_id, MultipartUpload={"Parts": listed}
        )
        self._manifest.write_text(f"{stored.sha256} {stored.size_bytes}")

    def abort_upload(self, upload: Upload) -> None:
        self._client.abort_multipart_upload(**self._named, UploadId=upload.upload_id)

    def find_files(self, sources: object) -> Restorable:
        sha256, size_bytes = self._manifest.read_text().split()
        url = self._client.generate_presigned_url("get_object", Params=self._named)
        return Restorable((StoredFiles(SOURCE, url, sha256, int(size_bytes)),), (), ())


def run_one(way: str, pod: Path, port: int) -> None:
    """`save` or `restore` in a process of its own; prints by how much its memory grew."""
    tools = Tools(DirectBroker(port, pod), Transfer(), lambda _: None)  # type: ignore[arg-type]
    workspace, exchange = pod / "workspace", pod / "exchange"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if way == "save":
        prepare_exchange(exchange)
        with subprocess.Popen(
            ["/bin/sh", "-c", f"printf . > {exchange}/running; printf 0 > {exchange}/exit-code"]
        ):
            wanted = WantedSave(workspace, pod, exchange, pod / "none", 10, ("large",), when="always")
            save(wanted, tools, lambda: None)
    else:
        restore(WantedRestore(workspace, pod, exchange, pod, 2 * SIZE_BYTES, (SOURCE,)), tools)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)


if __name__ == "__main__":
    run_one(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
