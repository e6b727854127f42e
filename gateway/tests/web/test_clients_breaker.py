import pytest

from gateway.clients.breaker import FAILURES, OPEN_SECONDS, Breaker


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def open_breaker(clock):
    breaker = Breaker(clock)
    [breaker.failed() for _ in range(FAILURES)]
    return breaker


def test_permits_calls_until_so_many_have_failed_in_a_row(clock):
    breaker = Breaker(clock)

    [breaker.failed() for _ in range(FAILURES - 1)]

    assert breaker.permits()
    assert not breaker.is_open


def test_permits_no_call_while_it_is_open(open_breaker):
    assert open_breaker.is_open
    assert not open_breaker.permits()


def test_lets_one_call_try_again_and_only_one(open_breaker, clock):
    clock.now += OPEN_SECONDS

    assert open_breaker.permits()
    assert not open_breaker.permits()


def test_lets_another_try_when_the_first_never_came_back(open_breaker, clock):
    clock.now += OPEN_SECONDS
    open_breaker.permits()

    clock.now += OPEN_SECONDS

    assert open_breaker.permits()


def test_closes_at_the_first_answer(open_breaker, clock):
    clock.now += OPEN_SECONDS
    open_breaker.permits()

    open_breaker.succeeded()

    assert open_breaker.permits()
    assert open_breaker.permits()


def test_counts_only_failures_in_a_row(clock):
    breaker = Breaker(clock)
    [breaker.failed() for _ in range(FAILURES - 1)]

    breaker.succeeded()
    breaker.failed()

    assert breaker.permits()
