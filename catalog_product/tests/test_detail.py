import pytest

pytestmark = pytest.mark.django_db
URL = "/api/v1/products"
CACHE = "public, max-age=30, stale-while-revalidate=300"
UNKNOWN = "01999999-0000-7000-8000-000000000000"


def url(product):
    return f"{URL}/{product.public_id}"


def test_shows_a_product_with_details_and_pictures(anonymous, make_product, add_media):
    details = [{"label": "Material", "value": "Leather"}]
    product = make_product("shoe", description="Light.", details=details)
    first, second = add_media(product), add_media(product, "red", options={"colour": "red"})

    response = anonymous.get(url(product))

    shown = response.json()
    assert response.status_code == 200
    assert (shown["description"], shown["details"]) == ("Light.", details)
    assert [one["id"] for one in shown["media"]] == [str(first.public_id), str(second.public_id)]
    assert shown["media"][1]["options"] == {"colour": "red"}
    assert shown["image"] == shown["media"][0]
    assert response["Cache-Control"] == CACHE


def test_shows_a_picture_in_every_size_it_has(anonymous, make_product, add_media, make_image):
    product = make_product()
    media = add_media(product, data=make_image("#336699", (400, 300)), alt="Blue")

    shown = anonymous.get(url(product)).json()["image"]

    folder = f"/media/products/{media.picture.sha256}"
    sizes = [(one["url"], one["width"], one["height"], one["type"]) for one in shown.pop("renditions")]
    assert sizes == [
        (f"{folder}/160.webp", 160, 120, "image/webp"),
        (f"{folder}/320.webp", 320, 240, "image/webp"),
        (f"{folder}/1280.webp", 400, 300, "image/webp"),
    ]
    assert shown == {
        "id": str(media.public_id),
        "alt": "Blue",
        "options": {},
        "position": 0,
        "width": 400,
        "height": 300,
        "color": "#336699",
        "sha256": media.picture.sha256,
        "jpeg": f"{folder}/1280.jpg",
    }


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_hides_what_is_not_published(anonymous, customer, editor, make_product, status):
    hidden = make_product("hidden", status=status)

    assert anonymous.get(url(hidden)).status_code == 404
    assert customer.get(url(hidden)).status_code == 404
    assert anonymous.get(URL, {"slug": "hidden"}).status_code == 404
    assert editor.get(url(hidden)).json()["status"] == status
    assert editor.get(URL, {"slug": "hidden"}).status_code == 200


def test_finds_it_by_its_slug_in_any_case(anonymous, make_product):
    product = make_product("trail-shoe")
    by_id = anonymous.get(url(product))

    by_slug = anonymous.get(URL, {"slug": "Trail-SHOE"})

    assert by_slug.json() == by_id.json()
    assert by_slug["ETag"] == by_id["ETag"]


def test_does_not_know_others(anonymous):
    assert anonymous.get(f"{URL}/{UNKNOWN}").status_code == 404
    assert anonymous.get(f"{URL}/7").status_code == 404
    assert anonymous.get(URL, {"slug": "nothing"}).status_code == 404
    assert anonymous.get(URL, {"slug": "no/slug'"}).status_code == 404


def test_answers_304_until_itself_or_its_brand_changes(anonymous, editor, make_brand, make_product):
    brand = make_brand()
    product = make_product(brand=brand.public_id)
    tag = anonymous.get(url(product))["ETag"]

    unchanged = anonymous.get(url(product), headers={"If-None-Match": tag})
    url_of_brand, headers = f"/api/v1/brands/{brand.public_id}", {"If-Match": "*"}
    editor.patch(url_of_brand, {"name": "x"}, format="json", headers=headers)
    changed = anonymous.get(url(product), headers={"If-None-Match": tag})

    assert (unchanged.status_code, changed.status_code) == (304, 200)
    assert unchanged["Cache-Control"] == CACHE


def test_refuses_a_parameter_it_does_not_know(anonymous, make_product):
    assert anonymous.get(f"{url(make_product())}?media=0").status_code == 400


def test_refuses_a_bad_token(anonymous, make_product):
    headers = {"Authorization": "Bearer a.b.c"}

    assert anonymous.get(url(make_product()), headers=headers).status_code == 401


def test_asks_two_queries_however_many_pictures_there_are(
    anonymous, make_product, add_media, django_assert_num_queries
):
    product = make_product("shoe")
    [add_media(product, color) for color in ("red", "green", "blue")]

    with django_assert_num_queries(2):
        anonymous.get(url(product))
    with django_assert_num_queries(2):
        anonymous.get(URL, {"slug": "shoe"})
