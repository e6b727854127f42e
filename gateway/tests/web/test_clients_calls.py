import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import structlog

from gateway.clients import calls, services
from gateway.clients.breaker import FAILURES
from gateway.clients.memory import COPY_BYTES, Memory
from gateway.clients.testing import PUBLIC

THING = "/api/v1/thing"


@pytest.fixture
def played(shop):
    shop["banner"].answer(THING, {"a": 1}, Cache_Control=PUBLIC, ETag='"1"')
    return shop["banner"]


@pytest.fixture
def service(shop):
    return services.service("banner")


def read(data):
    return data["a"]


def expire(service):
    # Time is not waited for: what memory holds is made old.
    memory = service._memory
    memory._clock = lambda: time.monotonic() + 60


def test_reads_what_a_service_answers(service, played):
    assert service.get(THING, read) == 1


def test_asks_once_as_long_as_the_answer_is_fresh(service, played):
    service.get(THING, read)

    assert service.get(THING, read) == 1
    assert played.paths() == [THING]


def test_asks_whether_an_older_answer_still_holds(service, played):
    service.get(THING, read)
    expire(service)

    assert service.get(THING, read) == 1
    assert played.asked[-1][1]["if-none-match"] == '"1"'


def test_takes_the_new_answer_when_it_does_not(service, played):
    service.get(THING, read)
    expire(service)
    played.answer(THING, {"a": 2}, Cache_Control=PUBLIC, ETag='"2"')

    assert service.get(THING, read) == 2


@pytest.mark.parametrize("mode", ["hang", "garbage", "wrong", "broken"])
def test_shows_an_old_answer_when_there_is_no_new_one(service, played, mode):
    service.get(THING, read)
    expire(service)
    played.mode = mode

    assert service.get(THING, read) == 1


@pytest.mark.parametrize("mode", ["hang", "garbage", "wrong", "broken"])
def test_says_that_a_service_is_away_when_nothing_is_known(service, played, mode):
    played.mode = mode

    with pytest.raises(calls.Away):
        service.get(THING, read)


def test_says_so_when_nobody_listens(shop):
    shop.kill("banner")

    with pytest.raises(calls.Away):
        services.service("banner").get(THING, read)


def test_forgets_what_is_gone(service, played):
    service.get(THING, read)
    expire(service)
    played.answer(THING, {"code": "not-found"}, 404)

    with pytest.raises(calls.Missing):
        service.get(THING, read)
    played.mode = "broken"
    with pytest.raises(calls.Away):
        service.get(THING, read)


def test_tells_where_a_thing_has_moved(service, played):
    played.answer(THING, b"", 301, Location="/api/v1/other")

    with pytest.raises(calls.Moved) as caught:
        service.get(THING, read)

    assert caught.value.location == "/api/v1/other"


def test_tells_what_a_service_did_not_like(service, played):
    played.answer(THING, {"code": "invalid-cursor"}, 400)

    with pytest.raises(calls.Refused) as caught:
        service.get(THING, read)

    assert (caught.value.status, caught.value.code) == (400, "invalid-cursor")


def test_keeps_nothing_that_was_asked_with_a_token(service, played):
    service.get_private(THING, read, token="a.b.c")

    assert service.get(THING, read) == 1
    assert len(played.asked) == 2
    assert "authorization" not in played.asked[1][1]


def test_gives_nobody_with_a_token_what_everybody_is_shown(service, played):
    service.get(THING, read)

    service.get_private(THING, read, token="a.b.c")

    assert played.asked[-1][1]["authorization"] == "Bearer a.b.c"


def test_asks_a_service_no_more_that_never_answered(service, played):
    played.mode = "broken"
    [service._lanes[""].breaker.failed() for _ in range(FAILURES)]

    with pytest.raises(calls.Away):
        service.get(THING, read)

    assert played.asked == []


def test_counts_no_answer_of_a_service_as_its_absence(service, played):
    played.mode = "broken"

    for _ in range(FAILURES + 1):
        with pytest.raises(calls.Away):
            service.get(THING, read)

    assert len(played.asked) == FAILURES + 1


def test_asks_once_for_a_rush(service, played):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: service.get(THING, read), range(32)))

    assert found == [1] * 32
    assert played.paths() == [THING]


def test_asks_several_services_at_once(service):
    # Each waits until the other has begun: one after the other they would never end.
    both = threading.Barrier(2, timeout=5)
    structlog.contextvars.clear_contextvars()

    def wait(_data):
        return both.wait()

    found = [calls.begin(service.get_private, "/readyz", wait) for _ in range(2)]

    assert sorted(each.get() for each in found) == [0, 1]


def test_takes_the_request_id_along(service, played):
    with structlog.contextvars.bound_contextvars(request_id="request-0001"):
        calls.begin(service.get, THING, read).get()

    assert played.asked[0][1]["x-request-id"] == "request-0001"


def test_needs_no_thread_for_what_it_knows(service, played):
    service.get(THING, read)

    answer = calls.begin(lambda: (service.get(THING, read), threading.current_thread().name))

    assert answer.get() == (1, threading.current_thread().name)


def test_waits_for_all_services_no_longer_than_one_page_may(service, played):
    played.mode = "hang"
    began = time.monotonic()

    with calls.deadline(0.2):
        found = calls.begin(service.get, THING, read).or_else("nothing")

    assert found == "nothing"
    assert time.monotonic() - began < 1


def test_asks_a_service_once_a_page_that_did_not_answer(service, played):
    played.mode = "hang"

    with calls.deadline():
        calls.begin(service.get, THING, read).or_else(None)
        calls.begin(service.get, "/api/v1/other", read).or_else(None)

    assert played.paths() == [THING]


def test_gives_up_only_what_another_service_is_needed_for(service, played):
    [service._lanes["catalog_category"].breaker.failed() for _ in range(FAILURES)]

    assert service.get(THING, read) == 1
    with pytest.raises(calls.Away):
        service.get("/api/v1/other", read, lane="catalog_category")


def test_lets_a_service_that_hangs_take_so_many_threads_and_no_more(service, played):
    played.mode = "hang"
    [service._lanes[""].slots.acquire() for _ in range(services.AT_ONCE)]

    with pytest.raises(calls.Away):
        service.get(THING, read)

    assert played.asked == []


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a": 1e999}', b'{"a": []}', b'{"a": "\xff"}', b'{"a": null}', b"1"]
)
def test_takes_nonsense_for_no_answer(service, played, body):
    played.answer(THING, body, Cache_Control=PUBLIC)

    with pytest.raises(calls.Away):
        service.get(THING, lambda data: (int(data["a"]), data["a"][0]))


def test_asks_nobody_for_a_page_that_has_ended(service, played):
    with calls.deadline(0), pytest.raises(calls.Away):
        service.get(THING, read)

    assert played.asked == []
    assert not service._lanes[""].breaker._failures


def test_shows_an_old_answer_while_another_page_waits_for_the_new_one(service, played):
    service.get(THING, read)
    expire(service)
    service._flights[THING] = Future()

    with calls.deadline(0.05):
        assert service.get(THING, read) == 1


def test_lets_slow_answers_to_staff_close_nothing_to_customers(service, played):
    [service._lanes["staff"].breaker.failed() for _ in range(FAILURES)]

    with pytest.raises(calls.Away):
        service.get_private(THING, read, token="a.b.c", lane="staff")

    assert service.get_private(THING, read, token="a.b.c") == 1


def test_counts_what_a_copy_takes_besides_its_bytes(service, played):
    service._memory = Memory(max_bytes=4 * COPY_BYTES)

    for number in range(8):
        played.answer(f"{THING}/{number}", {"a": 1}, Cache_Control=PUBLIC)
        service.get(f"{THING}/{number}", read)

    assert len(service._memory._copies) == 3
