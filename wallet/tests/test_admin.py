import pytest

from wallet.models import Account, AuditEvent, Transfer

pytestmark = pytest.mark.django_db
ROOT = "/admin/wallet/"
PAGES = ["", "wallet/account/", "wallet/transfer/", "wallet/auditevent/"]


@pytest.mark.parametrize("page", PAGES)
def test_shows_its_pages_to_finance(finance, adjust, sub, page):
    adjust(sub, 5000)

    response = finance.get(ROOT + page)

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"


def test_shows_a_transfer_with_its_entries(finance, adjust, sub):
    posted = adjust(sub, 5000, reason="welcome gift").transaction
    transfer = Transfer.objects.get(public_id=posted.id)

    response = finance.get(f"{ROOT}wallet/transfer/{transfer.pk}/change/")

    page = response.content.decode()
    assert response.status_code == 200
    assert sub in page
    assert "welcome gift" in page
    assert "\N{MINUS SIGN}50.00\N{NO-BREAK SPACE}EUR" in page


def test_shows_amounts_as_people_read_them(finance, adjust, sub):
    adjust(sub, 5000)

    page = finance.get(f"{ROOT}wallet/transfer/").content.decode()

    assert "50.00\N{NO-BREAK SPACE}EUR" in page
    assert "Wallet · Mercato" in page


def test_finds_an_account_by_its_owner(finance, adjust, sub):
    adjust(sub, 5000)

    response = finance.get(f"{ROOT}wallet/account/", {"q": sub})

    assert "1 account" in response.content.decode()


@pytest.mark.parametrize("model", [Account, Transfer, AuditEvent])
@pytest.mark.parametrize("page", ["add/", "{pk}/delete/"])
def test_has_no_form_to_add_or_delete(finance, adjust, sub, model, page):
    adjust(sub, 5000)
    path = page.format(pk=model.objects.latest("pk").pk)

    response = finance.post(f"{ROOT}wallet/{model._meta.model_name}/{path}", {"post": "yes"})

    assert response.status_code == 403


def test_changes_nothing(finance, adjust, sub):
    adjust(sub, 5000)
    account = Account.objects.customer(sub).get()

    response = finance.post(f"{ROOT}wallet/account/{account.pk}/change/", {"balance_minor": 1})

    assert response.status_code == 403
    account.refresh_from_db()
    assert account.balance_minor == 5000


def test_asks_the_same_queries_however_long_the_list_is(finance, adjust, sub, django_assert_max_num_queries):
    finance.get(ROOT)
    [adjust(sub, 1) for _ in range(5)]

    with django_assert_max_num_queries(5):
        finance.get(f"{ROOT}wallet/transfer/")


def test_serves_its_own_static_files(finance):
    response = finance.get(f"{ROOT}static/admin/css/base.css")

    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/css")
    response.close()


@pytest.mark.parametrize("page", [*PAGES, "login/", "password_change/"])
def test_refuses_the_anonymous(anonymous, page):
    assert anonymous.get(ROOT + page).status_code == 401


@pytest.mark.parametrize("page", PAGES)
def test_refuses_a_customer(ann, page):
    assert ann.get(ROOT + page).status_code == 403


def test_refuses_staff_without_the_scope(as_staff):
    assert as_staff("catalog:admin").get(ROOT).status_code == 403


def test_refuses_the_scope_without_staff(as_user):
    assert as_user("wallet:admin").get(ROOT).status_code == 403
