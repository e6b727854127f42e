import re
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.clients.testing import ENTRY
from gateway.storefront.queries.wallet import month_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, tzinfo=UTC)
URLS = ["/wallet", "/wallet/statement.csv", f"/wallet/transactions/{ENTRY}"]


@pytest.fixture
def mine(shop, browse_as, shopper):
    return browse_as(shopper)


@pytest.mark.parametrize("url", URLS)
def test_sends_whoever_is_not_logged_in_to_log_in(shop, browser, url):
    answer = browser.get(url)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/account/login/?next={url}"
    assert shop["wallet"].asked == []


def test_shows_balances_and_what_moved(mine):
    page = mine.get("/wallet").content.decode()

    assert [amount for amount in ("€490.00", "€10.00", "€500.00") if amount not in page] == []
    assert "Gift card corrected" in page
    assert "-€25.00" in page
    assert "<polyline" in page


@pytest.mark.parametrize("url", URLS)
def test_asks_with_the_tokens_of_its_owner_and_keeps_nothing(shop, mine, url):
    answers = [mine.get(url) for _ in range(2)]

    asked = [headers for _, headers in shop["wallet"].asked]
    assert len(asked) >= 2
    assert all(headers["authorization"].startswith("Bearer ey") for headers in asked)
    assert all("no-store" in answer.headers["Cache-Control"] for answer in answers)


def test_shows_a_receipt(mine):
    page = mine.get(f"/wallet/transactions/{ENTRY}").content.decode()

    assert "Gift card corrected" in page
    assert ENTRY in page


def test_has_no_receipt_of_what_is_not_ones_own(mine):
    assert mine.get(f"/wallet/transactions/{ENTRY[:-1]}9").status_code == 404


def test_gives_the_statement_as_a_file(mine):
    month = f"{datetime.now(UTC):%Y-%m}"

    answer = mine.get(f"/wallet/statement.csv?month={month}")

    assert answer.content == b"created_at,id\r\n"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="statement-{month}.csv"'
    assert answer.headers["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize("text", ["", "2026-13", "1999-01", "2030-01", '2026-11"\r\nX: y', "../2026-11"])
def test_takes_the_present_month_for_one_that_is_none(text):
    assert month_of(text, now=NOW) == "2026-11"


@pytest.mark.parametrize("text", ["2026-11", "2026-01", "2025-11"])
def test_goes_back_a_year(text):
    assert month_of(text, now=NOW) == text


@pytest.mark.parametrize("mode", ["garbage", "broken", "wrong"])
def test_never_shows_a_zero_when_the_wallet_is_away(shop, mine, mode):
    shop["wallet"].mode = mode

    answer = mine.get("/wallet")

    assert answer.status_code == 200
    assert "away for a moment" in answer.content.decode()
    assert "0.00" not in answer.content.decode()


def test_gives_no_half_a_file_when_the_wallet_is_away(shop, mine):
    shop["wallet"].mode = "broken"

    answer = mine.get("/wallet/statement.csv")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


def test_tells_staff_that_they_have_no_wallet(shop, browse_as, make_user):
    answer = browse_as(make_user(("marketing",))).get("/wallet")

    assert answer.status_code == 200
    assert "no wallet" in answer.content.decode()


def test_says_nothing_about_wallets_when_the_token_is_not_believed(shop, mine):
    shop["wallet"].answer("/api/v1/wallet", {"code": "invalid-token"}, 401)

    answer = mine.get("/wallet")

    assert answer.status_code == 503
    assert "no wallet" not in answer.content.decode()


def hold(shop, *currencies):
    rows = [
        {"currency": code, "balance_minor": 1500, "held_minor": 0, "available_minor": 1500}
        for code in currencies
    ]
    shop["wallet"].answer("/api/v1/wallet", {"balances": rows})


def asked_currencies(shop):
    found = (parse_qs(urlsplit(path).query) for path in shop["wallet"].paths() if "/statements/" in path)
    return [query.get("currency") for query in found]


def test_lets_one_choose_among_currencies(shop, mine):
    hold(shop, "EUR", "JPY")

    page = mine.get("/wallet?currency=JPY").content.decode()

    assert asked_currencies(shop) == [["JPY"]]
    assert '<option value="JPY" selected>JPY</option>' in page
    assert "¥1,500" in page
    assert "&amp;currency=JPY" in page


def test_offers_no_choice_of_one_currency(mine):
    assert 'name="currency"' not in mine.get("/wallet").content.decode()


@pytest.mark.parametrize("currency", ["USD", "eur", "%00", "EUR%26format=csv", "X" * 500])
def test_takes_the_shops_currency_for_one_that_is_not_held(shop, mine, currency):
    answer = mine.get(f"/wallet?currency={currency}")

    assert answer.status_code == 200
    assert asked_currencies(shop) == [None]


def test_shows_what_there_is_to_whoever_holds_nothing_in_the_shops_currency(shop, mine):
    hold(shop, "USD")

    page = mine.get("/wallet").content.decode()

    assert asked_currencies(shop)[-1] == ["USD"]
    assert "$15.00" in page


def test_gives_the_file_of_the_chosen_currency(shop, mine):
    hold(shop, "EUR", "JPY")

    answer = mine.get("/wallet/statement.csv?currency=JPY")

    assert asked_currencies(shop) == [["JPY"]]
    assert "JPY.csv" in answer.headers["Content-Disposition"]


def test_shows_the_newest_of_a_long_month_and_where_the_rest_is(shop, mine):
    shop["wallet"].movements = 950

    page = mine.get("/wallet").content.decode()

    assert page.count('data-label="What"') == 200
    assert "750 more" in page
    assert re.search(r'<a href="/wallet/statement.csv\?month=[0-9-]+&amp;currency=EUR"[^>]*>all 950', page)
    assert len(re.search(r'<polyline points="([^"]*)"', page)[1].split()) < 1000


def test_tells_where_the_month_began_and_ended_and_when_it_was_asked(mine):
    page = mine.get("/wallet").content.decode()

    assert re.search(r"As of .{0,80}UTC", page)
    assert [words for words in ("Opening", "€525.00", "Closing", "€500.00") if words not in page] == []


@pytest.mark.parametrize("time", ["2026-11-23T09:54:20", "yesterday", None, 7])
def test_takes_a_time_of_nowhere_for_nonsense(shop, mine, time):
    entry = {"id": ENTRY, "kind": "adjustment", "amount_minor": 1, "currency": "EUR", "created_at": time}
    about = {"balance_after_minor": 1, "reason": "", "reference": ""}
    shop["wallet"].answer(f"/api/v1/wallet/transactions/{ENTRY}", entry | about)

    assert "away for a moment" in mine.get(f"/wallet/transactions/{ENTRY}").content.decode()


@pytest.mark.parametrize(
    ("now", "month"),
    [
        (datetime(2026, 12, 31, 23, 30, tzinfo=timezone(timedelta(hours=-5))), "2027-01"),
        (datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=5))), "2026-12"),
    ],
)
def test_knows_the_present_month_in_utc(now, month):
    assert month_of("", now=now) == month


def test_asks_the_database_for_the_session_and_the_user_alone(mine, django_assert_num_queries):
    with django_assert_num_queries(2):
        mine.get("/wallet")
