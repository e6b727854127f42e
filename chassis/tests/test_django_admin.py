"""What the admins of the services have in common."""

import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.http import HttpResponse
from django.test import RequestFactory

from chassis.django.admin import NamedCookieStorage, ServiceAdminSite, amount, shortened


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (1990, "EUR", "19.90 EUR"),
        (5, "USD", "0.05 USD"),
        (0, "GBP", "0.00 GBP"),
        (123_456_789, "EUR", "1,234,567.89 EUR"),
        (-5000, "EUR", "\N{MINUS SIGN}50.00 EUR"),
        (1500, "JPY", "1,500 JPY"),
        (1500, "KWD", "1.500 KWD"),
        (None, "EUR", "-"),
    ],
)
def test_shows_an_amount_as_people_read_it(minor, currency, shown):
    assert amount(minor, currency).replace("\N{NO-BREAK SPACE}", " ") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("018f4e2a-0000-7000-8000-0123456789ab", "…456789ab"),
        ("svc:gateway", "svc:gateway"),
        ("", "-"),
        (None, "-"),
        ("<script>", "&lt;script&gt;"),
    ],
)
def test_shows_the_end_of_a_long_id(value, shown):
    assert f">{shown}</span>" in shortened(value)


def test_a_site_says_whose_it_is():
    site = ServiceAdminSite()

    assert (site.index_title, site.site_header, site.site_url) == ("Wallet", "Wallet · Mercato", "/")


def test_logging_out_leads_to_the_gateway():
    response = ServiceAdminSite().logout(RequestFactory().post("/admin/wallet/logout/"))

    assert (response.status_code, response.headers["Location"]) == (302, "/account/logout/")


def test_has_no_form_for_a_password():
    names = {getattr(url, "name", "") for url in ServiceAdminSite().get_urls()}

    assert {name for name in names if name and "password" in name} == set()


@pytest.mark.parametrize("messages", [[Message(constants.INFO, "Saved.")], []])
def test_messages_stay_below_the_admin(messages):
    response = HttpResponse()
    storage = NamedCookieStorage(RequestFactory().get("/admin/wallet/"))

    storage._store(messages, response)

    assert response.cookies["wallet_messages"]["path"] == "/admin/wallet/"
