"""What `mercato up` leaves behind is a shop, made through the front door, and made once."""

import io
import json
import subprocess
from collections import Counter

import pytest
from PIL import Image


def every(system, path, token="", **parameters):
    """All rows of a list, page by page, each of them once."""
    rows, cursor = [], ""
    while cursor is not None:
        query = {"limit": "100", **parameters} | ({"cursor": cursor} if cursor else {})
        page = system.request("GET", path, token=token, params=query).json()
        rows, cursor = rows + page["data"], page["next_cursor"]
    assert len({row["id"] for row in rows}) == len(rows)
    return rows


@pytest.fixture(scope="module")
def products(system):
    found = every(system, "/api/v1/products")
    assert found
    return found


@pytest.fixture
def banners(system):
    """All of them, as only marketing sees them."""
    return every(system, "/api/v1/banners", token=system.log_in("marketing")["access"])


@pytest.fixture(scope="module")
def summaries(system, products):
    ids = [product["id"] for product in products]
    batches = [ids[start : start + 100] for start in range(0, len(ids), 100)]
    return [
        summary
        for batch in batches
        for summary in system.request(
            "GET", "/api/v1/variants/summary", params={"product": ",".join(batch)}
        ).json()["data"]
    ]


@pytest.mark.parametrize(
    ("path", "at_least"),
    [("/api/v1/categories", 28), ("/api/v1/products", 60), ("/api/v1/brands", 8), ("/api/v1/variants", 300)],
)
def test_is_full(system, path, at_least):
    assert len(every(system, path)) >= at_least


def test_shows_a_banner_in_its_first_place(system):
    hero = system.request("GET", "/api/v1/banners?placement=home_hero").json()["data"]

    assert hero
    assert {banner["state"] for banner in hero} == {"live"}
    assert all(banner["image"]["alt"] for banner in hero)


def test_has_banners_for_now_and_for_later_and_of_the_past(banners):
    assert Counter(banner["state"] for banner in banners) == {"live": 6, "scheduled": 1, "ended": 1}


def test_gives_a_shopper_money(system):
    token = system.log_in("shopper")["access"]

    [balance] = system.request("GET", "/api/v1/wallet", token=token).json()["balances"]
    booked = every(system, "/api/v1/wallet/transactions", token=token)

    assert (balance["currency"], balance["available_minor"]) == ("EUR", 50_000)
    assert sorted(each["amount_minor"] for each in booked) == [-2_500, 7_500, 45_000]


def test_gives_every_product_a_picture_with_words_for_it(products):
    assert [product["slug"] for product in products if not (product["image"] or {}).get("alt")] == []


def test_gives_every_product_a_price(products, summaries):
    assert {summary["product"] for summary in summaries} == {product["id"] for product in products}
    assert all(0 < summary["price_min_minor"] <= summary["price_max_minor"] for summary in summaries)


def test_puts_every_product_where_a_shopper_finds_it(system, products):
    roots = system.request("GET", "/api/v1/categories/tree").json()["data"]
    found = [every(system, "/api/v1/products", category=root["id"]) for root in roots]

    assert {product["id"] for rows in found for product in rows} == {product["id"] for product in products}


def test_serves_every_size_of_a_picture(system, products):
    image = products[0]["image"]
    answers = {
        rendition["width"]: system.request("GET", rendition["url"]) for rendition in image["renditions"]
    }

    assert len(answers) > 1
    opened = {width: Image.open(io.BytesIO(answer.content)) for width, answer in answers.items()}
    assert {(width, picture.size[0], picture.format) for width, picture in opened.items()} == {
        (width, width, "WEBP") for width in answers
    }
    assert all("immutable" in answer.headers["Cache-Control"] for answer in answers.values())


def test_is_made_once(system, products, banners):
    done = subprocess.run(
        [system.command, "seed"], env=system.env, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "0 users made, 0 adjustments booked, 0 things put into the shop\n"
    assert every(system, "/api/v1/products") == products
    assert every(system, "/api/v1/banners", token=system.log_in("marketing")["access"]) == banners


def test_is_made_once_through_its_edge_too(system, tmp_path):
    # As in containers: there are the log-ins and nothing else, and only the gateway knows their subjects.
    logins = [login | {"sub": "", "scopes": []} for login in system.logins.values()]
    (tmp_path / "logins.json").write_text(json.dumps({"logins": logins}))

    done = subprocess.run(
        [system.command, "seed", "--edge", system.origin],
        env=system.env | {"MERCATO_DATA": str(tmp_path), "MERCATO_ORIGIN": system.origin},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "0 users made, 0 adjustments booked, 0 things put into the shop\n"
