"""`c8s artifacts` against the real API, with archives as the runner packs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from c8s.adapters.cluster import PIPELINE_RUNS, Object
from c8s.cli.main import main
from c8s.logs.file_layout import artifact_prefix
from tests.adapters.test_api_client import NOW, Served
from tests.api.example_runs import create_run, keep_files, step
from tests.runner.test_hostile_archives import file, folder, link, pack

GOOD = [folder("dist"), file("dist/a", b"aaa"), link("dist/latest", "a")]


def create(served: Served, name: str, *steps: Object) -> Object:
    return create_run(served.cluster, "default", name, "Add a", NOW, "Succeeded", list(steps))


def kept_step(name: str, **more: object) -> Object:
    return step(name, "Succeeded", NOW, -5, -1, artifacts=True, **more)


def test_files_of_every_step_are_listed(connected: Served, capsys: pytest.CaptureFixture[str]) -> None:
    run = create(
        connected, "web-1", kept_step("build"), kept_step("unit", log="unit.2"), step("lint", "Failed")
    )
    keep_files(connected.store, run, "build", b"x" * 2048)
    keep_files(connected.store, run, "unit.2", b"x")

    assert main(["artifacts", "web-1"]) == 0

    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "build  2 files, 2.0 KiB compressed",
        "  3 bytes  dist/a",
        "unit  2 files, 1 byte compressed",
        "  3 bytes  dist/a",
    ]


def test_one_step_is_unpacked_into_the_folder(
    connected: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = create(connected, "web-1", kept_step("build"), kept_step("unit"))
    keep_files(connected.store, run, "build", pack(*GOOD).getvalue())

    assert main(["artifacts", "web-1", "build", "--download", str(tmp_path / "new")]) == 0

    assert (tmp_path / "new/dist/latest").read_bytes() == b"aaa"
    assert capsys.readouterr().out == f"build: 1 file in {tmp_path / 'new'}\n"


def test_several_steps_get_a_folder_each(connected: Served, tmp_path: Path) -> None:
    run = create(connected, "web-1", kept_step("build"), kept_step("unit"))
    for name in ("build", "unit"):
        keep_files(connected.store, run, name, pack(file("of", name.encode())).getvalue())

    assert main(["artifacts", "web-1", "--download", str(tmp_path)]) == 0

    assert [(tmp_path / name / "of").read_text() for name in ("build", "unit")] == ["build", "unit"]


def test_files_of_a_step_taken_over_are_found(connected: Served, tmp_path: Path) -> None:
    old = create(connected, "web-1", kept_step("build", log="build.3"))
    create(connected, "web-2", kept_step("build", reusedFrom="web-1"))
    keep_files(connected.store, old, "build.3", pack(*GOOD).getvalue())

    assert main(["artifacts", "web-2", "--download", str(tmp_path)]) == 0
    assert (tmp_path / "dist/a").read_bytes() == b"aaa"


@pytest.mark.parametrize("hostile", [file("../x", b""), file("/etc/x", b""), link("out", "../../etc")])
def test_hostile_archive_writes_nothing_outside(
    connected: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], hostile: tuple[object, bytes]
) -> None:
    run = create(connected, "web-1", kept_step("build"))
    keep_files(connected.store, run, "build", pack(hostile).getvalue())  # type: ignore[arg-type]

    assert main(["artifacts", "web-1", "--download", str(tmp_path / "in" / "here")]) == 3

    assert [path.name for path in tmp_path.rglob("*")] == ["in", "here"]
    assert "the files of build can't be unpacked" in capsys.readouterr().err


def test_damaged_files_are_told(
    connected: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = create(connected, "web-1", kept_step("build"))
    keep_files(connected.store, run, "build", pack(*GOOD).getvalue())
    prefix = artifact_prefix("default", run["metadata"]["uid"], "build")
    connected.store.put(prefix + "files.tar.zst", pack(file("other", b"1")).getvalue())

    assert main(["artifacts", "web-1", "--download", str(tmp_path)]) == 3
    assert "its checksum is another one" in capsys.readouterr().err


def test_file_in_the_way_is_wrong_use(
    connected: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = create(connected, "web-1", kept_step("build"))
    keep_files(connected.store, run, "build", pack(*GOOD).getvalue())
    (tmp_path / "dist").write_text("a file")

    assert main(["artifacts", "web-1", "--download", str(tmp_path)]) == 2
    assert main(["artifacts", "web-1", "--download", str(tmp_path / "dist")]) == 2
    assert (tmp_path / "dist").read_text() == "a file"
    assert "name another folder" in capsys.readouterr().err


def test_what_is_gone_is_said_to_be(
    connected: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create(connected, "web-1", kept_step("build"), step("lint", "Succeeded"))

    assert main(["artifacts", "web-1"]) == 0
    assert main(["artifacts", "web-1", "--download", str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        "build  its files are gone: their time is over\nbuild: its files are gone: their time is over\n"
    )
    assert main(["artifacts", "web-1", "lint"]) == 2
    assert main(["artifacts", "web-1", "nope"]) == 2
    err = capsys.readouterr().err
    assert "nothing is kept of step lint" in err
    assert "the run has no step nope" in err


def test_run_without_files_says_so(connected: Served, capsys: pytest.CaptureFixture[str]) -> None:
    create(connected, "web-1", step("lint", "Succeeded"))
    connected.cluster.get(PIPELINE_RUNS, "web-1", "default")

    assert main(["artifacts", "web-1"]) == 0
    assert capsys.readouterr().out == "no step of web-1 has kept files\n"
