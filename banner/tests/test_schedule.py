from datetime import UTC, datetime, timedelta

import pytest

from banner import queries
from banner.extensions import db

START = datetime(2030, 1, 1, 9, tzinfo=UTC)
END = datetime(2030, 1, 2, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)

pytestmark = pytest.mark.usefixtures("app_context")


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (START - TICK, "scheduled"),
        (START, "live"),
        (END - TICK, "live"),
        (END, "ended"),
    ],
)
def test_starts_on_time_and_ends_before_its_end(make_banner, now, state):
    banner = make_banner(starts_at=START, ends_at=END)

    in_sql = [each for each in queries.STATES if db.session.scalar(found(queries.in_state(each, now)))]

    assert banner.state_at(now) == state
    assert in_sql == [state]


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (START - timedelta(seconds=7), 7),
        (START, 86_400),
        (END - timedelta(seconds=3), 3),
        (END, None),
    ],
)
def test_knows_the_next_start_or_end(make_banner, now, seconds):
    make_banner(starts_at=START, ends_at=END)
    make_banner(ends_at=END)

    assert queries.seconds_to_change([], now) == seconds


def test_is_always_live_without_times(make_banner):
    make_banner()

    assert db.session.scalar(found(queries.is_live(START)))


def found(condition):
    return queries.banners().where(condition)
