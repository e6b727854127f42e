from datetime import UTC, datetime

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
