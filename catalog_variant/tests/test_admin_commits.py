"""What the admin commits, without a transaction around the test."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from rest_framework.test import APIClient

from catalog_variant.models import StockMovement, Variant
from catalog_variant.operations import variants
from chassis.ids import uuid7

pytestmark = pytest.mark.usefixtures("emptied")
LISTS = "/admin/variants/catalog_variant/"
NEW_MOVEMENT = f"{LISTS}stockmovement/add/"


@pytest.fixture
def admin(as_staff):
    """Staff with the admin's scope."""
    return as_staff("stock:admin")


def movement(variant, delta):
    return {"variant": variant.pk, "delta": delta, "reason": "correction", "note": "", "key": str(uuid7())}


def test_keeps_the_key_of_a_refused_adjustment(admin, make_variant, adjust):
    variant = make_variant()
    form = movement(variant, "-1")
    admin.post(NEW_MOVEMENT, form)
    adjust(variant, 5)

    response = admin.post(NEW_MOVEMENT, form)

    variant.refresh_from_db()
    assert "Insufficient stock" in response.content.decode()
    assert variant.on_hand == 5


def test_moves_stock_once_for_one_form(admin, make_variant):
    variant = make_variant()
    form = movement(variant, "5")

    responses = [admin.post(NEW_MOVEMENT, form) for _ in range(2)]

    variant.refresh_from_db()
    assert [response.status_code for response in responses] == [302, 302]
    assert (variant.on_hand, StockMovement.objects.count()) == (5, 1)
    assert LogEntry.objects.filter(user__username=admin.sub).exists()


def test_asks_the_product_service_outside_of_any_transaction(admin, product_service, monkeypatch):
    ask, seen = variants.ask, []

    def watched(*args, **kwargs):
        seen.append(connection.in_atomic_block)
        return ask(*args, **kwargs)

    monkeypatch.setattr(variants, "ask", watched)
    form = {"product": str(uuid7()), "sku": "SHIRT", "price_minor": "1990", "currency": "EUR"}

    response = admin.post(f"{LISTS}variant/add/", form | {"status": "draft", "safety": "0"})

    assert (response.status_code, seen) == (302, [False])
    assert Variant.objects.get().sku == "SHIRT"


def test_refuses_a_form_without_its_token(admin, make_variant):
    variant, strict = make_variant(), APIClient(enforce_csrf_checks=True)
    strict.credentials(**admin._credentials)

    response = strict.post(NEW_MOVEMENT, movement(variant, "5"))

    assert response.status_code == 403
    assert not StockMovement.objects.exists()
