"""Takes a step's secrets out of what the cluster says of its Job, while there is no pod that has them."""

from __future__ import annotations

from c8s.adapters.cluster import Object
from c8s.logs.masking import mask_excerpt
from logbuffer.secret_values import PodSecrets
from logbuffer.tools import Tools


class JobMask:
    """Knows the secrets of the pod that the Job would make. For one thread."""

    def __init__(self, tools: Tools, namespace: str, job: Object | None) -> None:
        template = (((job or {}).get("spec") or {}).get("template") or {}).get("spec") or {}
        self._tools = tools
        self._secrets = PodSecrets(
            tools.cluster, {"metadata": {"namespace": namespace}, "spec": template}, tools.patterns
        )
        self._read_at: float | None = None

    def __call__(self, text: str) -> str:
        """The text without them, at its whole length. Insists on reading them; raises `Stopped`."""
        self._refresh()
        return mask_excerpt(self._secrets.patterns, text.encode("utf-8", "replace")).decode(
            "utf-8", "replace"
        )

    def _refresh(self) -> None:
        """A Job may wait for hours, and values change meanwhile."""
        now = self._tools.clock()
        if self._read_at is None or now - self._read_at >= self._tools.timing.secrets_refresh:
            self._tools.insist("reading secrets", self._secrets.load)
            self._read_at = now
