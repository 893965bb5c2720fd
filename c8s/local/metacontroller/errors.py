"""Why a sync was aborted.

ReconcileError
├── HookFailed          no answer, not a 200, or one that can't be read: nothing is changed
├── TooManyRequests     the hook answered 429: come again when it says
├── NotSynced           a related kind is not copied yet: come again soon, quietly
├── InvalidController   a CompositeController or DecoratorController that can't be run
├── ChildrenFailed      some children could not be brought to what is wanted
└── SyncRefused         a rule of the contract forbids what the hook answered
MetacontrollerWouldCrash is no ReconcileError: the real process dies of such an answer.
"""

from __future__ import annotations

from c8s.local.reconciling.loop import ReconcileError


class HookFailed(ReconcileError): ...


class TooManyRequests(ReconcileError):
    def __init__(self, after_seconds: float) -> None:
        super().__init__(f"the hook asks to come again in {after_seconds:g} s", after_seconds=after_seconds)


class NotSynced(ReconcileError):
    def __init__(self, resource: str) -> None:
        super().__init__(f"{resource} are not synced yet", is_quiet=True)


class InvalidController(ReconcileError): ...


class ChildrenFailed(ReconcileError): ...


class SyncRefused(ReconcileError): ...


class MetacontrollerWouldCrash(Exception):
    """The hook's answer makes the real Metacontroller panic, and with it every other controller:
    `children: [null]`.
    """
