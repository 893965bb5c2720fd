import pytest

from tests.search.scale import RUNS_AT_ONCE, Outcome, play_runs

SHARES = 5
RUNS = 100


@pytest.mark.parametrize("share", range(SHARES))
def test_good_pipelines_succeed_on_a_cluster_that_breaks(share: int):
    """A share of the 10,000 runs of `make scale`."""
    outcome = Outcome()
    for first in range(share * RUNS, (share + 1) * RUNS, RUNS_AT_ONCE):
        play_runs(first, RUNS_AT_ONCE, outcome)
    assert outcome.problems == []
    assert outcome.good_share == 1.0
    assert outcome.faults > 0
