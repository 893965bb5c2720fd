"""What annotations say of a run's place in its concurrency group."""

from __future__ import annotations

import pytest

from c8s.run.errors import MalformedObject
from c8s.run.turns import GROUP_CHARACTERS, QueuePlace, Superseded, Turn, describe_turn, observe_turn

AT = "2026-01-02T03:00:00Z"


def test_run_without_annotations_has_no_turn() -> None:
    assert observe_turn({}) == Turn(is_admitted=False, place=None, superseded=None)


def test_slot_zero_admits() -> None:
    assert observe_turn({"c8s.dev/admitted": "0"}) == Turn(is_admitted=True)


def test_place_names_the_runs_ahead() -> None:
    text = '{"group":"deploy","position":3,"ahead":["app-1","app-2"]}'
    assert observe_turn({"c8s.dev/queue": text}).place == QueuePlace(3, ("app-1", "app-2"))


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"position":"first"}'])
def test_unreadable_place_is_none(text: str) -> None:
    assert observe_turn({"c8s.dev/queue": text, "c8s.dev/admitted": "1"}) == Turn(is_admitted=True)


def test_newer_run_takes_the_place() -> None:
    text = f'{{"run":"app-2","at":"{AT}"}}'
    assert observe_turn({"c8s.dev/superseded": text}).superseded == Superseded("app-2", AT)


@pytest.mark.parametrize("text", ["nonsense", '{"run":"app-2","at":"soon"}'])
def test_unreadable_successor_is_an_error(text: str) -> None:
    with pytest.raises(MalformedObject):
        observe_turn({"c8s.dev/superseded": text})


def test_turn_is_told_in_a_sentence() -> None:
    place = QueuePlace(2, ("app-1", "app-2"))
    assert describe_turn("deploy", None) == 'waits for its turn in the group "deploy"'
    assert describe_turn("deploy", place) == (
        'waits for its turn in the group "deploy", number 2 behind app-1, app-2'
    )


def test_long_group_is_cut() -> None:
    told = describe_turn("g" * 1000, QueuePlace(1, ()))
    assert told == f'waits for its turn in the group "{"g" * (GROUP_CHARACTERS - 1)}…", number 1'
