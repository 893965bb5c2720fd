"""What the README shows is what happens."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from c8s.pipeline.parse import parse_pipeline

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_first_pipeline_is_good() -> None:
    assert parse_pipeline(blocks("yaml")[0], ".c8s.yaml").problems == ()


def test_broken_file_gives_the_message_shown(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(blocks("yaml")[1], encoding="utf-8")
    shown = next(block for block in blocks("console") if "c8s validate" in block)
    answer = subprocess.run(
        [sys.executable, "-m", "c8s.cli.main", "validate", "broken.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, f"$ c8s validate broken.yaml\n{answer.stdout}") == (1, shown)


def markdown_files() -> list[Path]:
    return [path for path in ROOT.rglob("*.md") if not set(path.parts) & {".venv", ".c8s", "node_modules"}]


@pytest.mark.parametrize("file", markdown_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(file: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", file.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (file.parent / target).exists()]
    assert missing == []


def test_every_room_is_in_the_architecture() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = [path.name for path in (ROOT / "c8s").iterdir() if (path / "__init__.py").exists()]
    assert [room for room in rooms if f"`c8s/{room}/`" not in architecture] == []


def test_make_help_lists_the_targets_told() -> None:
    answer = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    told = {line.split()[0] for line in answer.stdout.splitlines()}
    assert {"setup", "demo", "test", "check", "fix", "bench"} <= told
