import pytest

from chassis.lists import InvalidParameter, read_cursor, sign_cursor

SECRET = "only-for-the-tests-of-the-chassis-itself"


def test_reads_what_it_has_signed():
    cursor = sign_cursor(["5", "é"], secret=SECRET, purpose="list")

    assert read_cursor(cursor, secret=SECRET, purpose="list") == ["5", "é"]


@pytest.mark.parametrize("cursor", ["", "x", "W10.", "W10.x", "é.é", "."])
def test_refuses_what_it_has_not_signed(cursor):
    with pytest.raises(InvalidParameter):
        read_cursor(cursor, secret=SECRET, purpose="list")


@pytest.mark.parametrize("other", [{"secret": SECRET[1:]}, {"purpose": "other"}])
def test_refuses_a_cursor_of_another_list(other):
    cursor = sign_cursor(["5"], secret=SECRET, purpose="list")

    with pytest.raises(InvalidParameter):
        read_cursor(cursor, **{"secret": SECRET, "purpose": "list"} | other)
