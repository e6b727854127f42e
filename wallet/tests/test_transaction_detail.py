import pytest

from chassis.ids import uuid7

pytestmark = pytest.mark.django_db


def url(public_id):
    return f"/api/v1/wallet/transactions/{public_id}"


def test_shows_one_transaction(ann, sub, adjust):
    posted = adjust(sub, 5000, reason="welcome").transaction

    response = ann.get(url(posted.id))

    assert response.status_code == 200
    assert response.json()["id"] == str(posted.id)
    assert response.json()["balance_after_minor"] == 5000


@pytest.mark.case("K1")
def test_hides_what_another_has(bob, sub, adjust):
    posted = adjust(sub, 5000).transaction

    response = bob.get(url(posted.id))

    assert response.status_code == 404
    assert response.json()["code"] == "not-found"


def test_does_not_find_what_never_was(ann):
    assert ann.get(url(uuid7())).status_code == 404


def test_does_not_find_what_is_no_uuid(ann):
    response = ann.get(url("1"))

    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


def test_asks_two_queries(ann, sub, adjust, django_assert_num_queries):
    posted = adjust(sub, 5000).transaction

    with django_assert_num_queries(2):
        ann.get(url(posted.id))


def test_refuses_the_anonymous(anonymous):
    assert anonymous.get(url(uuid7())).status_code == 401


def test_refuses_a_token_without_the_scope(as_staff):
    assert as_staff("wallet:admin").get(url(uuid7())).status_code == 403


def test_refuses_an_unknown_parameter(ann):
    assert ann.get(f"{url(uuid7())}?expand=1").status_code == 400
