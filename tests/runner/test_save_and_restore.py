"""What one step saves, another one has: files, caches, outputs, by a broker that fails at times."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from c8s.adapters.http_transfer import ContentDamaged, TransferFailed
from c8s.runner.caches import WantedCache
from c8s.runner.endings import Impossible
from c8s.runner.exchange import CacheState, prepare_exchange, read_caches, write_caches
from c8s.runner.restore import WantedRestore, restore
from c8s.runner.save import WantedSave, save
from tests.runner.conftest import StepFolders
from tests.runner.fake_broker import FakeBroker

LIMIT_BYTES = 1 << 30
PIP = WantedCache("pip-${{ checksum('requirements.txt') }}", ("~/.cache/pip",), ("pip-",))


@contextmanager
def step_that_ends(folders: StepFolders, exit_code: str) -> Iterator[None]:
    """Play the step's shell: hold the pipe open, leave the exit code."""
    prepare_exchange(folders.exchange)

    def play() -> None:
        with (folders.exchange / "running").open("wb") as pipe:
            pipe.write(b".")
            if exit_code:
                (folders.exchange / "exit-code").write_text(exit_code)

    thread = threading.Thread(target=play)
    thread.start()
    yield
    thread.join()


def run_save(folders: StepFolders, broker: FakeBroker, exit_code: str = "0", **wanted: Any) -> None:
    asked = WantedSave(
        workspace=folders.workspace,
        home=folders.home,
        exchange=folders.exchange,
        output_file=folders.home / ".c8s-output",
        start_limit_seconds=10,
        **wanted,
    )
    with step_that_ends(folders, exit_code):
        save(asked, folders.tools(broker), lambda: None)


def run_restore(folders: StepFolders, broker: FakeBroker, **wanted: Any) -> None:
    wanted.setdefault("limit_bytes", LIMIT_BYTES)
    asked = WantedRestore(
        workspace=folders.workspace,
        home=folders.home,
        exchange=folders.exchange,
        outputs=folders.outputs,
        **wanted,
    )
    restore(asked, folders.tools(broker))


def fill(folder: Path) -> None:
    """A small tree with all that is kept."""
    (folder / "dist" / "empty").mkdir(parents=True)
    (folder / "dist" / "app").write_bytes(os.urandom(200_000))
    (folder / "dist" / "app").chmod(0o755)
    os.utime(folder / "dist" / "app", ns=(1, 1_700_000_000_123_456_789))
    (folder / "dist" / "latest").symlink_to("app")
    (folder / "dist" / "ünï\udcff.txt").write_text("x")
    (folder / "report.xml").write_text("<testsuite/>")
    (folder / "dist" / "empty").chmod(0o500)


def describe(folder: Path) -> dict[str, tuple[int, int, object]]:
    """Every entry below `folder`: mode, time, content."""
    described: dict[str, tuple[int, int, object]] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content: object = None
        if path.is_symlink():
            content = path.readlink()
        elif path.is_file():
            content = path.read_bytes()
        described[str(path.relative_to(folder))] = (
            stat.S_IMODE(status.st_mode),
            status.st_mtime_ns,
            content,
        )
    return described


def save_and_offer(folders: StepFolders, broker: FakeBroker, **wanted: Any) -> None:
    run_save(folders, broker, **wanted)
    broker.offer("uid/build", broker.objects["artifacts/saved"])


def test_saved_files_come_back_as_they_were(folders: StepFolders, broker: FakeBroker, tmp_path: Path) -> None:
    fill(folders.workspace)
    save_and_offer(folders, broker, artifacts=("dist",), junit=("*.xml",), expire_seconds=60)
    later = StepFolders(tmp_path / "later")
    run_restore(later, broker, sources=("uid/build",))

    assert describe(later.workspace) == describe(folders.workspace)
    manifest = broker.manifests["artifacts/saved"]
    assert manifest["files"] == 3
    assert {"path": "report.xml", "sizeBytes": 12} in manifest["paths"]
    assert manifest["expireSeconds"] == 60
    assert len(broker.objects["artifacts/saved"]) > 3 * broker.part_bytes
    assert folders.lines[-1].startswith("saved 3 files, 195.")
    assert folders.lines[-1].endswith(f"sha256:{manifest['sha256']}")
    assert later.lines[0].startswith("restored 3 files of build, 195.")


def test_two_saves_are_equal_bytes(folders: StepFolders, broker: FakeBroker) -> None:
    fill(folders.workspace)
    run_save(folders, broker, artifacts=("**",))
    first = broker.objects["artifacts/saved"]
    run_save(folders, broker, artifacts=("**",))
    assert broker.objects["artifacts/saved"] == first


def test_glob_that_fits_nothing_is_told(folders: StepFolders, broker: FakeBroker) -> None:
    run_save(folders, broker, artifacts=("dist/**",))
    assert folders.lines[0] == 'no file matches "dist/**"'
    assert folders.lines[1].startswith("saved 0 files, ")


@pytest.mark.parametrize(
    ("when", "exit_code", "is_saved"),
    [
        ("success", "0", True),
        ("success", "1", False),
        ("success", "", False),
        ("failure", "0", False),
        ("failure", "1", True),
        ("failure", "", True),
        ("always", "0", True),
        ("always", "137", True),
    ],
)
def test_artifacts_are_saved_when_they_are_to_be(
    folders: StepFolders, broker: FakeBroker, when: str, exit_code: str, is_saved: bool
) -> None:
    run_save(folders, broker, exit_code, artifacts=("**",), when=when)
    assert ("artifacts/saved" in broker.manifests) is is_saved


def test_store_and_api_that_fail_for_a_while_cost_nothing(
    folders: StepFolders, broker: FakeBroker, tmp_path: Path
) -> None:
    fill(folders.workspace)
    broker.failures.update({"store/parts": 3, "api/v1/pod/uploads/complete": 2})
    broker.expired.update({"store/parts": 1})
    save_and_offer(folders, broker, artifacts=("dist",))
    broker.failures.update({"store/artifacts": 2, "api/v1/pod/restore": 2})
    later = StepFolders(tmp_path / "later")
    run_restore(later, broker, sources=("uid/build",))
    assert describe(later.workspace / "dist") == describe(folders.workspace / "dist")
    assert folders.pauses
    assert set(folders.pauses) <= {0.5, 1.0, 2.0}


def test_store_that_stays_away_fails_the_upload(folders: StepFolders, broker: FakeBroker) -> None:
    fill(folders.workspace)
    broker.failures.update({"store/parts": 1000})
    with pytest.raises(TransferFailed, match="the object store answers 503"):
        run_save(folders, broker, artifacts=("dist",))
    assert len(broker.aborted) == 1
    assert "artifacts/saved" not in broker.manifests


@pytest.mark.parametrize("answers_ranges", ["206", "200", "ignored"])
def test_broken_downloads_are_taken_up_again(
    folders: StepFolders, broker: FakeBroker, tmp_path: Path, answers_ranges: str
) -> None:
    fill(folders.workspace)
    save_and_offer(folders, broker, artifacts=("dist",))
    broker.answers_ranges = answers_ranges
    broker.cuts_left, broker.cut_after_bytes = 3, 70_000
    broker.expired.update({"store/artifacts": 1})
    later = StepFolders(tmp_path / "later")
    run_restore(later, broker, sources=("uid/build",))
    assert describe(later.workspace / "dist") == describe(folders.workspace / "dist")
    assert broker.cuts_left == 0


def test_damaged_archive_fails_the_restore(folders: StepFolders, broker: FakeBroker) -> None:
    (folders.workspace / "a").write_bytes(os.urandom(5000))
    save_and_offer(folders, broker, artifacts=("a",))
    archive = bytearray(broker.objects["artifacts/uid/build"])
    archive[2000] ^= 1
    broker.objects["artifacts/uid/build"] = bytes(archive)
    with pytest.raises(ContentDamaged):
        run_restore(folders, broker, sources=("uid/build",))


def test_more_than_the_limit_is_not_restored(folders: StepFolders, broker: FakeBroker) -> None:
    (folders.workspace / "a").write_bytes(bytes(10_000))
    save_and_offer(folders, broker, artifacts=("a",))
    with pytest.raises(Impossible, match="more than 9999 bytes; raise"):
        run_restore(folders, broker, sources=("uid/build",), limit_bytes=9_999)


def test_more_than_the_limit_is_not_saved(folders: StepFolders, broker: FakeBroker) -> None:
    broker.max_bytes = 1000
    (folders.workspace / "a").write_bytes(os.urandom(10_000))
    with pytest.raises(Impossible, match="more than 1000 bytes compressed"):
        run_save(folders, broker, artifacts=("a",))
    assert len(broker.aborted) == 1


def test_missing_files_are_told(folders: StepFolders, broker: FakeBroker) -> None:
    run_restore(folders, broker, sources=("uid/build",))
    assert folders.lines == ["nothing is kept of build"]


def test_cache_is_saved_once_and_hit(folders: StepFolders, broker: FakeBroker, tmp_path: Path) -> None:
    (folders.workspace / "requirements.txt").write_text("flask\n")
    run_restore(folders, broker, caches=(PIP,))
    (folders.home / ".cache/pip/wheels").mkdir(parents=True)
    (folders.home / ".cache/pip/a").write_text("cached")
    run_save(folders, broker, caches=(PIP,))
    key = next(iter(broker.manifests)).removeprefix("cache/")
    assert key.startswith("pip-")
    assert folders.lines[0] == f"cache {key}: miss"
    assert folders.lines[1].startswith(f"cache {key}: saved, ")

    again = StepFolders(tmp_path / "again")
    (again.workspace / "requirements.txt").write_text("flask\n")
    run_restore(again, broker, caches=(PIP,))
    run_save(again, broker, caches=(PIP,))
    assert describe(again.home / ".cache/pip") == describe(folders.home / ".cache/pip")
    assert len(again.lines) == 1
    assert again.lines[0].startswith(f"cache {key}: hit, ")


def test_fallback_is_restored_and_the_new_key_saved(
    folders: StepFolders, broker: FakeBroker, tmp_path: Path
) -> None:
    (folders.workspace / "requirements.txt").write_text("flask\n")
    run_restore(folders, broker, caches=(PIP,))
    (folders.home / ".cache/pip").mkdir(parents=True)
    run_save(folders, broker, caches=(PIP,))
    old_key = next(iter(broker.manifests)).removeprefix("cache/")

    again = StepFolders(tmp_path / "again")
    (again.workspace / "requirements.txt").write_text("flask\njinja2\n")
    run_restore(again, broker, caches=(PIP,))
    run_save(again, broker, caches=(PIP,))
    assert f": hit of {old_key}, " in again.lines[0]
    assert ": saved, " in again.lines[1]
    assert len(broker.manifests) == 2


def test_cache_of_a_failed_step_is_not_saved(folders: StepFolders, broker: FakeBroker) -> None:
    write_caches(folders.exchange, [CacheState("k", is_exact=False)])
    run_save(folders, broker, "1", caches=(WantedCache("k", ("a",)),))
    assert not broker.manifests


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ({"allows_cache_writes": False}, "cache k: not saved: runs of forks may not"),
        ({"manifests": {"cache/k": {}}}, "cache k: not saved: it exists already"),
        ({"max_bytes": 10}, "cache k: not saved: more than 10 bytes compressed, which is the limit"),
    ],
)
def test_cache_that_can_not_be_saved_is_told(
    folders: StepFolders, broker: FakeBroker, spoil: dict[str, Any], told: str
) -> None:
    for name, value in spoil.items():
        setattr(broker, name, value)
    (folders.workspace / "a").write_text("x")
    write_caches(folders.exchange, [CacheState("k", is_exact=False)])
    run_save(folders, broker, caches=(WantedCache("k", ("a",)),))
    assert folders.lines == [told]


def test_broken_cache_leaves_nothing_behind(folders: StepFolders, broker: FakeBroker) -> None:
    (folders.workspace / "a").mkdir()
    (folders.workspace / "a" / "1").write_bytes(os.urandom(300_000))
    cache = WantedCache("k", ("a",))
    write_caches(folders.exchange, [CacheState("k", is_exact=False)])
    run_save(folders, broker, caches=(cache,))
    archive = bytearray(broker.objects["cache/k"])
    archive[-200] ^= 1
    broker.objects["cache/k"] = bytes(archive)
    (folders.workspace / "a" / "1").unlink()
    (folders.workspace / "a").rmdir()

    run_restore(folders, broker, caches=(cache,))
    assert folders.lines[-1].startswith("cache k: miss (what came from the object store is not")
    assert list(folders.workspace.iterdir()) == []
    assert read_caches(folders.exchange) == [CacheState("k", is_exact=False)]


def test_cache_may_only_hold_its_own_paths(folders: StepFolders, broker: FakeBroker) -> None:
    (folders.workspace / "a").write_text("x")
    write_caches(folders.exchange, [CacheState("k", is_exact=False)])
    run_save(folders, broker, caches=(WantedCache("k", ("a",)),))
    (folders.workspace / "a").unlink()
    run_restore(folders, broker, caches=(WantedCache("k", ("~/.ssh",)),))
    assert "does not belong to it" in folders.lines[-1]
    assert list(folders.workspace.iterdir()) == list(folders.home.iterdir()) == []


def test_checksum_of_no_file_is_the_users_fault(folders: StepFolders, broker: FakeBroker) -> None:
    with pytest.raises(Impossible, match=r"checksum\('requirements.txt'\): there is no such file"):
        run_restore(folders, broker, caches=(PIP,))


def test_outputs_travel_by_the_broker(folders: StepFolders, broker: FakeBroker) -> None:
    (folders.home / ".c8s-output").write_text("version=1.2\nnotes<<END\na\nb\nEND\nother=x\n")
    run_save(folders, broker, outputs=("version", "notes", "url"))
    assert broker.outputs == {"version": "1.2", "notes": "a\nb"}
    assert folders.lines == [
        "output other is not declared in `outputs`: not saved",
        "output url was not written to $C8S_OUTPUT",
        "saved 2 outputs",
    ]


def test_outputs_of_earlier_steps_are_files(folders: StepFolders, broker: FakeBroker) -> None:
    broker.objects["outputs/build"] = b'{"version":"1.2","notes":"a\\nb"}'
    url = f"{broker.url}/store/outputs/build"
    broker.restore_answer = {"outputs": [{"from": "uid/build", "step": "build", "url": url}], "missing": []}
    run_restore(folders, broker, sources=("uid/build",))
    assert (folders.outputs / "build" / "version").read_text() == "1.2"
    assert (folders.outputs / "build" / "notes").read_text() == "a\nb"
    assert folders.lines == ["restored 2 outputs of build"]


def test_wrong_token_is_asked_again_then_refused(folders: StepFolders, broker: FakeBroker) -> None:
    tools = folders.tools(broker)
    broker.token = "another"
    with pytest.raises(Exception, match="the token is not good"):
        tools.broker.find_files(["uid/build"])
    assert folders.pauses == [1.0, 3.0, 9.0]
