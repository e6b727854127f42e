import pytest

pytestmark = pytest.mark.django_db
URL = "/api/v1/wallet/integrity"


def test_adds_up_every_account(finance, sub, adjust):
    before = {row["currency"]: row for row in finance.get(URL).json()["currencies"]}.get("GBP")
    adjust(sub, 5000, "GBP")

    report = finance.get(URL).json()

    after = next(row for row in report["currencies"] if row["currency"] == "GBP")
    assert after["customers_minor"] == (before["customers_minor"] if before else 0) + 5000
    assert after["shop_minor"] == -after["customers_minor"]
    assert report["is_balanced"] is after["is_balanced"] is True


def test_asks_one_query(finance, django_assert_num_queries):
    with django_assert_num_queries(1):
        finance.get(URL)


def test_refuses_the_anonymous(anonymous):
    assert anonymous.get(URL).status_code == 401


def test_refuses_a_customer(ann):
    assert ann.get(URL).status_code == 403


def test_refuses_an_unknown_parameter(finance):
    assert finance.get(f"{URL}?deep=1").status_code == 400
