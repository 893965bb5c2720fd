from pathlib import Path

import pytest

from c8s.local.state import (
    AlreadyRunning,
    LocalState,
    NoLocalCluster,
    StatePaths,
    find_state,
    hold_folder,
    is_held,
    read_local_state,
    write_local_state,
)

STATE = LocalState(
    supervisor_pid=1,
    api_url="http://127.0.0.1:1",
    webhook_url="http://127.0.0.1:2",
    git_url="http://127.0.0.1:3",
    s3_endpoint="http://127.0.0.1:4",
    s3_bucket="c8s",
    s3_access_key="access",
    s3_secret_key="secret",
    token="token",
    kubeconfig="kubeconfig",
    namespace="default",
    runner="process",
    pids={"api": 7},
)


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths(tmp_path / ".c8s")
    paths.create()
    return paths


def test_state_is_read_as_written(paths: StatePaths) -> None:
    write_local_state(paths, STATE)
    assert read_local_state(paths) == STATE


def test_state_is_for_its_owner_only(paths: StatePaths) -> None:
    write_local_state(paths, STATE)
    assert (paths.root.stat().st_mode & 0o777, paths.local_file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_state_of_another_version_is_told(paths: StatePaths) -> None:
    paths.local_file.write_text('{"unknown": 1}')
    with pytest.raises(NoLocalCluster, match="can't be read"):
        read_local_state(paths)


def test_state_is_found_from_a_folder_below(paths: StatePaths) -> None:
    write_local_state(paths, STATE)
    below = paths.root.parent / "source" / "deep"
    below.mkdir(parents=True)
    assert find_state(below) == paths


def test_second_cluster_is_kept_out(paths: StatePaths) -> None:
    with hold_folder(paths):
        assert is_held(paths)
        with pytest.raises(AlreadyRunning), hold_folder(paths):
            raise AssertionError("the folder was given twice")
    assert not is_held(paths)
