"""Hooks that fail as hooks fail: an error, a request to come later, no answer in time."""

from __future__ import annotations

from dataclasses import dataclass

from c8s.local.metacontroller.errors import HookFailed
from c8s.local.metacontroller.hook_answers import HookAnswer
from c8s.local.metacontroller.hook_calls import HookCaller
from c8s.local.reconciling.hazards import Dice


@dataclass(frozen=True, slots=True)
class HazardousHooks:
    """Calls `hooks`, unless the dice say `failed_hook`."""

    hooks: HookCaller
    dice: Dice

    def call(self, url: str, body: bytes, timeout_seconds: float) -> HookAnswer:
        if not self.dice.strikes("failed_hook"):
            return self.hooks.call(url, body, timeout_seconds)
        failure = self.dice.random.choice(("500", "429", "not reached", "answer lost"))
        if failure == "500":
            return HookAnswer(500, {}, b"simulated")
        if failure == "429":
            return HookAnswer(429, {"retry-after": "1"}, b"simulated")
        if failure == "answer lost":
            self.hooks.call(url, body, timeout_seconds)
        raise HookFailed(f"http error: POST {url}: simulated: {failure}")
