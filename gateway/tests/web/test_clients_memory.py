import pytest

from gateway.clients.memory import LONGEST_FRESH_SECONDS, STALE_SECONDS, Memory, public_seconds

PUBLIC = {"cache-control": "public, max-age=30", "etag": '"1"'}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def memory(clock):
    return Memory(max_bytes=100, clock=clock)


def test_has_a_fresh_copy_as_long_as_the_service_said(memory, clock):
    memory.keep("/a", "value", PUBLIC, 10)

    clock.now += 29.9

    assert memory.is_fresh(memory.find("/a"))


def test_has_a_stale_copy_after_that(memory, clock):
    memory.keep("/a", "value", PUBLIC, 10)

    clock.now += 30

    assert memory.find("/a").value == "value"
    assert not memory.is_fresh(memory.find("/a"))


def test_has_nothing_after_a_day(memory, clock):
    memory.keep("/a", "value", PUBLIC, 10)

    clock.now += STALE_SECONDS + 1

    assert memory.find("/a") is None


def test_is_fresh_again_when_the_service_confirms_a_copy(memory, clock):
    memory.keep("/a", "value", PUBLIC, 10)
    clock.now += 60

    memory.confirm("/a", memory.find("/a"), PUBLIC)

    assert memory.is_fresh(memory.find("/a"))
    assert memory.age(memory.find("/a")) == 0


def test_forgets_what_was_used_longest_ago(memory):
    memory.keep("/a", "a", PUBLIC, 40)
    memory.keep("/b", "b", PUBLIC, 40)
    memory.find("/a")

    memory.keep("/c", "c", PUBLIC, 40)

    assert [memory.find(path) is not None for path in ("/a", "/b", "/c")] == [True, False, True]


def test_keeps_nothing_that_is_larger_than_all_of_it(memory):
    memory.keep("/a", "value", PUBLIC, 101)

    assert memory.find("/a") is None


def test_counts_what_is_replaced_once(memory):
    [memory.keep("/a", "value", PUBLIC, 60) for _ in range(3)]

    memory.keep("/b", "value", PUBLIC, 40)

    assert memory.find("/a")


@pytest.mark.parametrize(
    "control", ["", "no-store", "private, max-age=30", "max-age=30", "public, no-store", "no-cache"]
)
def test_keeps_nothing_that_is_not_everybodys(memory, control):
    memory.keep("/a", "value", {"cache-control": control}, 10)

    assert memory.find("/a") is None


@pytest.mark.parametrize(
    ("control", "seconds"),
    [
        ("public, max-age=30, stale-while-revalidate=300", 30),
        ("Public, Max-Age=5", 5),
        ("public", 0),
        ("public, s-maxage=90", 0),
        ("public, max-age=999999999", LONGEST_FRESH_SECONDS),
    ],
)
def test_reads_how_long_an_answer_is_fresh(control, seconds):
    assert public_seconds({"cache-control": control}) == seconds
