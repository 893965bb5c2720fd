from c8s.local.reconciling.work_queue import RetryDelays, WorkQueue


class HandClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(queue: WorkQueue) -> list[str]:
    keys = []
    while (key := queue.take()) is not None:
        keys.append(key)
    return keys


def test_waiting_keys_collapse():
    queue = WorkQueue(HandClock())
    for key in ("a", "b", "a"):
        queue.add(key)
    assert taken(queue) == ["a", "b"]


def test_key_is_never_out_twice():
    queue = WorkQueue(HandClock())
    queue.add("a")
    assert queue.take() == "a"
    queue.add("a")
    queue.add("a")
    assert queue.take() is None
    queue.done("a")
    assert taken(queue) == ["a"]
    queue.done("a")
    assert queue.take() is None


def test_earliest_timer_stays():
    clock = HandClock()
    queue = WorkQueue(clock)
    queue.add_after("a", 5)
    queue.add_after("a", 60)
    queue.add_after("b", 60)
    queue.add_after("b", 5)
    assert queue.next_due() == 1005
    clock.now = 1005
    assert sorted(taken(queue)) == ["a", "b"]
    queue.done("a")
    queue.done("b")
    clock.now = 1100
    assert queue.take() is None


def test_zero_delay_is_now():
    queue = WorkQueue(HandClock())
    queue.add_after("a", 0)
    assert queue.take() == "a"


def test_failures_double_the_delay():
    delays = RetryDelays(HandClock())
    assert [delays.seconds("a") for _ in range(4)] == [0.005, 0.01, 0.02, 0.04]
    delays.forget("a")
    assert delays.seconds("a") == 0.005


def test_delay_has_a_limit():
    delays = RetryDelays(HandClock())
    assert [delays.seconds("a") for _ in range(60)][-1] == 1000.0


def test_bucket_slows_many_failures():
    clock = HandClock()
    delays = RetryDelays(clock)
    waits = [delays.seconds(f"key {number}") for number in range(120)]
    assert waits[:100] == [0.005] * 100
    assert round(waits[119], 6) == 2.0
    clock.now += 100
    assert delays.seconds("later") == 0.005


def test_closed_queue_gives_nothing():
    queue = WorkQueue(HandClock())
    queue.add("a")
    queue.close()
    assert queue.wait(10) is None


def test_chosen_key_comes_first():
    queue = WorkQueue(HandClock(), choose=lambda count: count - 1)
    for key in ("a", "b", "c"):
        queue.add(key)
    assert taken(queue) == ["c", "b", "a"]
