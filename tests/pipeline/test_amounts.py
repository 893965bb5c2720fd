from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.pipeline.durations import format_duration, parse_duration
from c8s.pipeline.quantities import format_cpu, format_memory, parse_cpu, parse_memory

SETTINGS = settings(deadline=None, max_examples=50)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("90m", 5400), ("0s", 0)]
)
def test_duration_is_read_as_seconds(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "-1s", "1.5h", "1m1h", "1 h", "1h\n", "١h", "9" * 99 + "s"])
def test_other_text_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "millicores"), [("500m", 500), ("2", 2000), ("0.5", 500), ("1.25", 1250)])
def test_cpu_is_read_as_millicores(text: str, millicores: int) -> None:
    assert parse_cpu(text) == millicores


@pytest.mark.parametrize("text", ["", "m", "1.5m", "-1", "1e3", "1 ", "2 cores", "0.0005", "1\n"])
def test_other_text_is_no_cpu(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount of CPU"):
        parse_cpu(text)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1Gi", 1024**3), ("1.5Gi", 3 * 2**29), ("512", 512), ("1k", 1000), ("0.001", 1)],
)
def test_memory_is_read_as_bytes(text: str, amount: int) -> None:
    assert parse_memory(text) == amount


@pytest.mark.parametrize("text", ["", "Gi", "1GB", "1gi", "-1", "1m", "1 Gi", "1.0001Ki", "1\n"])
def test_other_text_is_no_memory(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount of memory"):
        parse_memory(text)


@SETTINGS
@given(st.integers(0, 10**9 - 1))
def test_formatted_amount_is_read_back(amount: int) -> None:
    assert parse_duration(format_duration(amount)) == amount
    assert parse_cpu(format_cpu(amount)) == amount
    assert parse_memory(format_memory(amount)) == amount


@SETTINGS
@given(st.integers(0, 2**20), st.sampled_from([1024, 1024**2, 1024**3]))
def test_round_memory_keeps_its_unit(amount: int, unit: int) -> None:
    assert parse_memory(format_memory(amount * unit)) == amount * unit
