import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.db.models.functions import Now
from prometheus_client import REGISTRY

from gateway.limits.models import Counter, KnownDevice
from gateway.limits.operations import (
    Claim,
    TooManyRequests,
    count,
    forget_expired,
    give_back,
    take,
    take_together,
)
from gateway.limits.quotas import LIMITS, Limit
from gateway.limits.visitors import Visitor, browser_at, client_at

THREE = Limit("three", 3, 60, "name")
MANY = Limit("many", 100, 60, "name")
SOFT = Limit("soft", 3, 60, "name", refuses=False)
SHARED = Limit("shared", 3, 60, "address", is_shared=True)


def times(number, limit, *values):
    return [take(limit, *values) for _ in range(number)]


def let_pass(seconds):
    """As if everything that is counted had begun earlier."""
    Counter.objects.update(ends_at=Now() - timedelta(seconds=seconds) + timedelta(seconds=60))


@pytest.mark.django_db
def test_refuses_what_is_past_the_quota():
    times(3, THREE, "ann")

    with pytest.raises(TooManyRequests) as refused:
        take(THREE, "ann")

    assert refused.value.status == 429
    assert refused.value.headers == {
        "Retry-After": "60",
        "RateLimit-Policy": '"three";q=3;w=60',
        "RateLimit": '"three";r=0;t=60',
    }


@pytest.mark.django_db
def test_counts_for_each_name_alone():
    times(3, THREE, "ann")

    assert take(THREE, "bob").headers["RateLimit"] == '"three";r=2;t=60'


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("one", "other"), [(("a", "bc"), ("ab", "c")), (("a",), ("a", "")), (("a\nb",), ("a", "b"))]
)
def test_never_takes_one_name_for_another(one, other):
    assert Claim(THREE, one).key != Claim(THREE, other).key


@pytest.mark.django_db
def test_begins_anew_when_the_window_has_ended():
    times(3, THREE, "ann")
    let_pass(60)

    assert take(THREE, "ann").headers["RateLimit"] == '"three";r=2;t=60'


@pytest.mark.django_db
def test_does_not_begin_anew_before_that():
    times(3, THREE, "ann")
    let_pass(59)

    with pytest.raises(TooManyRequests) as refused:
        take(THREE, "ann")

    assert refused.value.retry_after == 1


@pytest.mark.django_db
def test_does_not_count_what_it_refuses():
    taken = times(3, THREE, "ann")
    for _ in range(2):
        with pytest.raises(TooManyRequests):
            take(THREE, "ann")

    give_back(taken[0])

    assert take(THREE, "ann")


@pytest.mark.django_db
def test_gives_back_one_attempt_and_no_other():
    [_, mine] = times(2, THREE, "ann")

    give_back(mine)

    assert Counter.objects.get().count == 1


@pytest.mark.django_db
def test_gives_nothing_back_of_a_later_window():
    [mine] = times(1, THREE, "ann")
    let_pass(60)
    times(1, THREE, "ann")

    give_back(mine)

    assert Counter.objects.get().count == 1


@pytest.mark.django_db
def test_counts_nothing_when_one_of_several_limits_refuses():
    times(3, THREE, "ann")

    with pytest.raises(TooManyRequests) as refused:
        take_together(Claim(MANY, ("ann",)), Claim(THREE, ("ann",)), Claim(SOFT, ("ann",)))

    assert refused.value.headers["RateLimit"] == '"three";r=0;t=60'
    assert sorted(Counter.objects.values_list("count", flat=True)) == [0, 0, 3]


@pytest.mark.django_db
def test_tells_of_each_limit_that_refuses():
    taken = take_together(Claim(THREE, ("ann",)), Claim(MANY, ("ann",)), Claim(SOFT, ("ann",)))

    assert taken.headers == {
        "RateLimit-Policy": '"three";q=3;w=60, "many";q=100;w=60',
        "RateLimit": '"three";r=2;t=60, "many";r=99;t=60',
    }


@pytest.mark.django_db
def test_only_says_so_when_a_limit_does_not_refuse():
    taken = times(4, SOFT, "ann")

    assert [one.exceeds(SOFT) for one in taken] == [False, False, False, True]
    assert taken[0].headers == {}


@pytest.mark.django_db
def test_allows_more_where_many_share_an_address(settings):
    settings.PEOPLE_PER_ADDRESS = 2

    assert take(SHARED, "203.0.113.7").headers["RateLimit-Policy"] == '"shared";q=6;w=60'
    assert take(THREE, "ann").headers["RateLimit-Policy"] == '"three";q=3;w=60'


@pytest.mark.django_db
def test_keeps_no_name_in_the_database():
    take(THREE, "ann@example.com", "203.0.113.7")

    [kept] = Counter.objects.values("key", "count")
    assert len(kept["key"]) == 64
    assert not {"ann", "203"} & set(kept["key"].split("@"))


@pytest.mark.django_db
def test_refuses_to_count_what_could_be_undone():
    with pytest.raises(RuntimeError), transaction.atomic():
        take(THREE, "ann")


@pytest.mark.django_db
def test_asks_the_database_once(django_assert_num_queries):
    with django_assert_num_queries(1):
        taken = take_together(Claim(THREE, ("ann",)), Claim(MANY, ("ann",)))
    with django_assert_num_queries(1):
        give_back(taken)


@pytest.mark.usefixtures("committed")
def test_waits_for_no_disk_and_lets_everything_else_wait(settles, django_assert_num_queries):
    with django_assert_num_queries(1) as asked:
        taken = take(THREE, "ann")

    assert taken.counts[0].count == 1
    assert asked[0]["sql"].startswith("SET LOCAL synchronous_commit TO off;")
    assert settles() == "on"
    with transaction.atomic():
        count([Claim(THREE, ("ann",))])
        assert settles() == "on"


@pytest.fixture
def settles():
    """What a commit of this connection waits for, which is the disk unless something changes that."""

    def ask(statement="SHOW synchronous_commit"):
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]

    ask("SELECT set_config('synchronous_commit', 'on', false)")
    yield ask
    connection.close()


@pytest.mark.django_db
def test_shows_how_often_a_limit_was_reached():
    def reached():
        return REGISTRY.get_sample_value("mercato_limits_exceeded_total", {"limit": "three"}) or 0

    before = reached()
    times(3, THREE, "ann")

    with pytest.raises(TooManyRequests):
        take(THREE, "ann")

    assert reached() == before + 1


def test_shows_every_limit_from_the_start():
    shown = [
        REGISTRY.get_sample_value("mercato_limits_exceeded_total", {"limit": limit.name}) for limit in LIMITS
    ]

    assert None not in shown
    assert len({limit.name for limit in LIMITS}) == len(LIMITS)


@pytest.mark.django_db
def test_forgets_what_counts_no_more(shopper):
    now = Now()
    take(THREE, "ann")
    let_pass(61)
    take(THREE, "bob")
    for key, seconds in (("old", -1), ("new", 60)):
        expires_at = now + timedelta(seconds=seconds)
        KnownDevice.objects.create(user=shopper, key=key, last_used_at=now, expires_at=expires_at)

    assert forget_expired() == 2
    assert Counter.objects.count() == 1
    assert KnownDevice.objects.get().key == "new"


@pytest.mark.case("I2", "I3")
def test_lets_as_many_through_as_the_quota_says_however_many_come_at_once(committed):
    def try_one(number):
        # Each in an order of its own: they would wait for each other for ever if they locked in it.
        claims = [Claim(THREE, ("ann",)), Claim(MANY, (f"{number % 3}",)), Claim(MANY, ("all",))]
        try:
            take_together(*(claims if number % 2 else reversed(claims)))
        except TooManyRequests:
            return "refused"
        return "let through"

    answers = at_once(40, try_one)

    assert sorted(answers) == ["let through"] * 3 + ["refused"] * 37
    assert Counter.objects.get(key=Claim(THREE, ("ann",)).key).count == 3


def at_once(number, action):
    """What each of them gives, on connections of their own."""
    start = threading.Barrier(number)
    results = [None] * number

    def run(which):
        start.wait()
        try:
            results[which] = action(which)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(which,)) for which in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize(
    ("remote", "address", "network"),
    [
        ("203.0.113.77", "203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("", "", ""),
        ("unix:", "", ""),
    ],
)
def test_counts_a_visitor_by_what_cannot_be_changed_from_one_request_to_the_next(remote, address, network):
    assert client_at(remote) == Visitor(address, network, network)
    assert browser_at(remote, name="") == Visitor(address, network, "")


def test_knows_a_browser_by_its_name_and_a_client_by_its_network():
    assert browser_at("203.0.113.77", name="abc").is_known_browser
    assert not browser_at("203.0.113.77", name="").is_known_browser
    assert not client_at("203.0.113.77").is_known_browser
