import time
from itertools import pairwise

import pytest

from chassis.ids import request_id, uuid7


def test_makes_version_7_uuids_of_now():
    made = uuid7()

    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert abs((made.int >> 80) - time.time() * 1000) < 1000


def test_makes_uuids_that_sort_by_time():
    early = uuid7()
    time.sleep(0.002)

    assert early < uuid7()


def test_makes_no_uuid_twice():
    made = sorted(uuid7() for _ in range(2000))

    assert all(one != other for one, other in pairwise(made))


def test_keeps_a_safe_request_id():
    assert request_id("abc-DEF_1.2") == "abc-DEF_1.2"


@pytest.mark.parametrize(
    "candidate", [None, "", "short", "x" * 129, "with space", "line\r\nbreak", "\x1b[31mred", "üüüüüüüüü"]
)
def test_replaces_an_unsafe_request_id(candidate):
    assert request_id(candidate) != candidate
