"""Fifty clients want five units, through the edge: five get one, forty-five are told so, none is lost."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

CLIENTS, UNITS = 50, 5


@pytest.fixture(scope="module")
def keeper(system):
    return system.log_in("stock-keeper")["access"]


@pytest.fixture(scope="module")
def variant(system):
    """A variant of its own, of a product that the shop has, without any stock."""
    editor = system.log_in("catalogue-editor")["access"]
    product = system.request("GET", "/api/v1/products?limit=1").json()["data"][0]["id"]
    [like] = system.request("GET", f"/api/v1/variants?product={product}&limit=1").json()["data"]
    name, code = f"race-{uuid.uuid4().hex[:8]}", next(iter(like["options"]))
    options = {option["code"]: option["id"] for option in every_option(system)}
    made = system.request(
        "POST", f"/api/v1/options/{options[code]}/values", token=editor, json={"code": name, "name": name}
    )
    assert made.status_code == 201, made.text
    body = {
        "product": product,
        "sku": name,
        "options": like["options"] | {code: name},
        "price": like["price"],
        "status": "published",
    }
    response = system.request("POST", "/api/v1/variants", token=editor, json=body)
    assert response.status_code == 201, response.text
    return response.json()["id"]


def every_option(system):
    return system.request("GET", "/api/v1/options?limit=100").json()["data"]


def adjust(system, token, variant, delta, key):
    """One client's request, on a connection of its own."""
    return requests.post(
        f"{system.origin}/api/v1/stock/adjustments",
        json={"variant": variant, "delta": delta, "reason": "receive" if delta > 0 else "correction"},
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
        timeout=30,
    )


def stock(system, token, variant):
    return system.request("GET", f"/api/v1/variants/{variant}", token=token).json()["stock"]


def test_gives_each_unit_to_one_client(system, keeper, variant):
    lacking = UNITS - stock(system, keeper, variant)["on_hand"]
    assert adjust(system, keeper, variant, lacking, uuid.uuid4().hex).status_code == 201

    with ThreadPoolExecutor(CLIENTS) as pool:
        keys = [uuid.uuid4().hex for _ in range(CLIENTS)]
        answers = list(pool.map(lambda key: adjust(system, keeper, variant, -1, key), keys))

    got = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
    assert got == {(201, None): UNITS, (409, "insufficient-stock"): CLIENTS - UNITS}
    left = sorted(answer.json()["on_hand_after"] for answer in answers if answer.status_code == 201)
    assert left == list(range(UNITS))
    assert stock(system, keeper, variant)["on_hand"] == 0


def test_gives_one_client_one_unit_however_often_it_asks(system, keeper, variant):
    assert adjust(system, keeper, variant, 1, uuid.uuid4().hex).status_code == 201
    before, key = stock(system, keeper, variant)["on_hand"], uuid.uuid4().hex

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda _: adjust(system, keeper, variant, -1, key), range(CLIENTS)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert stock(system, keeper, variant)["on_hand"] == before - 1
