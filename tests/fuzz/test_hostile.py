"""The short form of hostile services behind an edge, and that it would tell."""

import pytest
from hostile import KINDS, faults, try_all

COUNT = 25 * len(KINDS)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    # What many at once need for a moment, the process keeps: the first ones say nothing about growth.
    return try_all(tmp_path_factory.mktemp("keys"), COUNT, warm_up=COUNT)


@pytest.mark.case("E17", "F7", "F8", "L1")
def test_every_request_has_its_end_and_leaves_nothing(found):
    assert faults(found) == []
    assert sum(found["ends"].values()) == COUNT


@pytest.mark.parametrize(
    "change",
    [
        {"wrong": {"hangs: 200": 1}},
        {"grown": {"Exchange": 1}},
        {"served writes": 1_000_000},
        {"rss grown MB": 500},
        {"another service p99 ms": 60_000},
        {"late": 0.5},
    ],
)
def test_would_tell(found, change):
    assert len(faults(found | change)) > len(faults(found))
