"""The object store as c8s uses it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from c8s.local.object_store import (
    BUCKET,
    ObjectStoreError,
    object_store_command,
    wait_until_ready,
    write_keys,
)
from c8s.local.ports import choose_ports

WHEN_REQUIRED = {
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


def client(port: int, secret_key: str) -> object:
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="access",
        aws_secret_access_key=secret_key,
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 1, "mode": "standard"}, **WHEN_REQUIRED),
    )


def start_store(state_dir: Path, port: int) -> subprocess.Popen[bytes]:
    command = object_store_command(state_dir, port, "access", "sec/ret+1")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until_ready(port)
    return process


@pytest.fixture
def port() -> int:
    return choose_ports(("s3",), {}, {})["s3"]


@pytest.fixture
def store(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = start_store(tmp_path, port)
    yield process
    process.kill()
    process.wait()


def test_objects_outlive_a_kill(store: subprocess.Popen[bytes], tmp_path: Path, port: int) -> None:
    client(port, "sec/ret+1").put_object(Bucket=BUCKET, Key="logs/a/b.log", Body=b"text")
    store.kill()
    store.wait()
    again = start_store(tmp_path, port)
    try:
        found = client(port, "sec/ret+1").get_object(Bucket=BUCKET, Key="logs/a/b.log")["Body"].read()
    finally:
        again.terminate()
        again.wait(5)
    assert found == b"text"


def test_wrong_secret_is_refused(store: subprocess.Popen[bytes], port: int) -> None:
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client(port, "wrong").list_objects_v2(Bucket=BUCKET)


def test_secret_is_in_no_command_line(store: subprocess.Popen[bytes]) -> None:
    assert b"sec/ret" not in Path(f"/proc/{store.pid}/cmdline").read_bytes()


def test_full_disk_is_an_error_not_a_torn_object(tmp_path: Path, port: int) -> None:
    data = tmp_path / "s3"
    data.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "c8s", str(data)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system can't be mounted here")
    process = start_store(tmp_path, port)
    try:
        with pytest.raises(ClientError):
            client(port, "sec/ret+1").put_object(Bucket=BUCKET, Key="big", Body=b"x" * 200_000)
        client(port, "sec/ret+1").put_object(Bucket=BUCKET, Key="small", Body=b"x")
        listed = client(port, "sec/ret+1").list_objects_v2(Bucket=BUCKET)["Contents"]
    finally:
        process.kill()
        process.wait()
        subprocess.run(["umount", str(data)], check=True)
    assert [entry["Key"] for entry in listed] == ["small"]


def test_silent_port_is_reported(port: int) -> None:
    with pytest.raises(ObjectStoreError, match="did not answer"):
        wait_until_ready(port, timeout_seconds=0.1)


@pytest.mark.parametrize("key", ["", "a,b", 'a"b', "a\nb"])
def test_unusable_keys_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="must not"):
        write_keys(tmp_path / "keys.json", key, "secret")
