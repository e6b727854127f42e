import csv
import io
from datetime import UTC, datetime

import pytest

from wallet import queries

pytestmark = pytest.mark.django_db


def url(month=None):
    return f"/api/v1/wallet/statements/{month or datetime.now(UTC).strftime('%Y-%m')}"


def lines(response):
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def test_opens_with_what_was_there_and_closes_with_what_is(ann, sub, adjust):
    adjust(sub, 5000)
    adjust(sub, -1200)

    statement = ann.get(url()).json()

    assert statement["opening_minor"] == 0
    assert statement["credited_minor"] == 5000
    assert statement["debited_minor"] == -1200
    assert statement["closing_minor"] == 3800
    assert [row["amount_minor"] for row in statement["transactions"]] == [5000, -1200]


def test_starts_at_the_start_and_ends_before_the_end(sub, adjust):
    first, second, third = (adjust(sub, amount).transaction.created_at for amount in (1, 20, 300))

    made = queries.statement(sub, "EUR", start_at=second, end_at=third)

    assert first < second
    assert (made.opening_minor, made.credited_minor, made.closing_minor) == (1, 20, 21)
    assert [row.amount_minor for row in made.transactions()] == [20]


def test_carries_the_balance_through_a_month_without_movement(ann, sub, adjust):
    adjust(sub, 5000)

    statement = ann.get(url("2999-12")).json()

    assert statement["opening_minor"] == statement["closing_minor"] == 5000
    assert statement["transactions"] == []
    assert (statement["start_at"], statement["end_at"]) == ("2999-12-01T00:00:00Z", "3000-01-01T00:00:00Z")


def test_is_empty_before_the_first_posting(ann, sub, adjust):
    adjust(sub, 5000)

    statement = ann.get(url("2001-02")).json()

    assert statement["opening_minor"] == statement["closing_minor"] == 0
    assert statement["transactions"] == []


def test_is_all_zeros_without_a_wallet(ann):
    statement = ann.get(url()).json()

    assert statement["currency"] == "EUR"
    assert statement["closing_minor"] == 0


def test_states_one_currency(ann, sub, adjust):
    adjust(sub, 1, "EUR")
    adjust(sub, 2, "USD")

    statement = ann.get(url(), {"currency": "USD"}).json()

    assert statement["currency"] == "USD"
    assert statement["closing_minor"] == 2


def test_never_states_what_another_has(bob, sub, adjust):
    adjust(sub, 5000)

    assert bob.get(url()).json()["closing_minor"] == 0


@pytest.mark.parametrize(("query", "accept"), [("?format=csv", "*/*"), ("", "text/csv")])
def test_comes_as_csv_when_asked(ann, sub, adjust, query, accept):
    adjust(sub, 5000, reason="welcome, friend")

    response = ann.get(url("2999-12") + query, headers={"Accept": accept})

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="statement-2999-12-EUR.csv"'
    assert lines(response)[0][:4] == ["created_at", "id", "kind", "amount_minor"]


def test_has_every_transaction_between_the_two_balances_in_csv(ann, sub, adjust):
    adjust(sub, 5000, reason="welcome, friend")
    adjust(sub, -1200)

    _, opening, first, second, closing = lines(ann.get(url(), {"format": "csv"}))

    assert (opening[2], opening[5]) == ("opening", "0")
    assert (first[3], first[6]) == ("5000", "welcome, friend")
    assert (second[3], second[5]) == ("-1200", "3800")
    assert (closing[2], closing[5]) == ("closing", "3800")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r\n", " =", "＝"])  # noqa: RUF001
def test_makes_a_formula_plain_text(sub, adjust, ann, start):
    reason = f"{start}HYPERLINK()"
    adjust(sub, 1, reason=reason)

    rows = lines(ann.get(url(), {"format": "csv"}))

    assert rows[2][6] == f"'{reason}"


def test_prefers_the_parameter_to_the_header(ann):
    response = ann.get(url(), {"format": "json"}, headers={"Accept": "text/csv"})

    assert response.headers["Content-Type"] == "application/json"


def test_reads_long_histories_a_window_at_a_time(sub, adjust, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(queries, "_WINDOW", 2)
    [adjust(sub, 1) for _ in range(5)]
    made = queries.statement(
        sub, "EUR", start_at=datetime(2001, 1, 1, tzinfo=UTC), end_at=datetime.max.replace(tzinfo=UTC)
    )

    with django_assert_num_queries(3):
        rows = list(made.transactions())

    assert [row.balance_after_minor for row in rows] == [1, 2, 3, 4, 5]


def test_asks_five_queries(ann, sub, adjust, django_assert_num_queries):
    adjust(sub, 5000)

    with django_assert_num_queries(5):
        ann.get(url())


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-00", "2026-1", "26-01", "2026-01-01", "1999-12", "٢٠٢٦-01"]
)
def test_refuses_what_is_no_month(ann, month):
    response = ann.get(url(month))

    assert response.status_code == 400
    assert response.json()["code"] == "invalid-input"


@pytest.mark.parametrize("query", ["currency=XXX", "format=pdf"])
def test_refuses_a_bad_value(ann, query):
    assert ann.get(f"{url()}?{query}").status_code == 400


def test_refuses_an_unknown_parameter(ann):
    assert ann.get(f"{url()}?year=2026").status_code == 400


def test_refuses_another_form(ann):
    response = ann.get(url(), headers={"Accept": "application/pdf"})

    assert response.status_code == 406
    assert response.json()["code"] == "not-acceptable"


def test_says_what_is_wrong_as_a_problem_even_to_who_wants_csv(ann):
    response = ann.get(url("2026-13"), headers={"Accept": "text/csv"})

    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == 400


def test_refuses_the_anonymous(anonymous):
    assert anonymous.get(url()).status_code == 401


def test_refuses_a_token_without_the_scope(as_user):
    assert as_user("orders:read").get(url()).status_code == 403
