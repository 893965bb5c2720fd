"""A step's folders, a broker, and the tools that speak to it without waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from c8s.adapters.http_transfer import Transfer
from c8s.adapters.pod_broker import PodBroker
from c8s.runner.restore import Tools
from tests.runner.fake_broker import FakeBroker, serve_broker


@dataclass
class StepFolders:
    """The volumes of a step's pod, the lines its containers print, the pauses they make."""

    root: Path
    lines: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("workspace", "home", "exchange", "outputs"):
            (self.root / name).mkdir(parents=True)

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def exchange(self) -> Path:
        return self.root / "exchange"

    @property
    def outputs(self) -> Path:
        return self.root / "outputs"

    def tools(self, broker: FakeBroker) -> Tools:
        token = self.root / "token"
        token.write_text(broker.token + "\n")
        transfer = Transfer(sleep=self.pauses.append)
        return Tools(PodBroker(broker.url, token, transfer), transfer, self.lines.append)


@pytest.fixture
def broker() -> Iterator[FakeBroker]:
    with serve_broker() as running:
        yield running


@pytest.fixture
def folders(tmp_path: Path) -> StepFolders:
    return StepFolders(tmp_path / "pod")
