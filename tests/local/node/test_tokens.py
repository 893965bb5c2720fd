"""ServiceAccount tokens in pods."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from c8s.adapters.cluster import Object
from c8s.local.apiserver.in_process import new_cluster
from c8s.local.node.references import References
from c8s.local.node.token_renewal import renew_tokens
from c8s.local.node.volumes import Volumes

SOURCE = {"audience": "c8s", "expirationSeconds": 1000, "path": "token"}
POD: Object = {
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {"volumes": [{"name": "api-token", "projected": {"sources": [{"serviceAccountToken": SOURCE}]}}]},
}


@dataclass
class CountedTokens:
    """Tokens that say for whom and how manieth they are."""

    asked: list[tuple[str, int]] = field(default_factory=list)

    def request_token(self, pod: Object, audience: str, expiration_seconds: int) -> str:
        del pod
        self.asked.append((audience, expiration_seconds))
        return f"token {len(self.asked)}"


def test_token_is_renewed_when_four_fifths_are_over(tmp_path: Path) -> None:
    tokens = CountedTokens()
    Volumes(tmp_path, tmp_path).prepare(POD, References(new_cluster(), "default"), tokens)
    file = tmp_path / "api-token" / "token"
    made = file.stat().st_mtime
    assert renew_tokens(tmp_path, POD, tokens, made + 799) == 1.0
    assert file.read_text() == "token 1"
    assert renew_tokens(tmp_path, POD, tokens, made + 800) == 800.0
    assert file.read_text() == "token 2"
    assert tokens.asked == [("c8s", 1000), ("c8s", 1000)]
    assert [entry.name for entry in (tmp_path / "api-token").iterdir()] == ["token"]


def test_pod_without_tokens_renews_nothing(tmp_path: Path) -> None:
    pod = {"metadata": {}, "spec": {"volumes": [{"name": "workspace", "emptyDir": {}}]}}
    assert renew_tokens(tmp_path, pod, CountedTokens(), 0.0) == float("inf")
