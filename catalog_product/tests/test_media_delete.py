import pytest

from catalog_product.models import Picture

pytestmark = pytest.mark.django_db


def delete(client, media, tag="*", product=None):
    product_id = (product or media.product).public_id
    headers = {} if tag is None else {"If-Match": tag}
    return client.delete(f"/api/v1/products/{product_id}/media/{media.public_id}", headers=headers)


@pytest.fixture
def media(make_product, add_media):
    """The first of two pictures."""
    shoe = make_product("shoe")
    first = add_media(shoe, "red")
    add_media(shoe, "green")
    return first


def test_takes_a_picture_away_and_closes_the_gap(editor, anonymous, media):
    response = delete(editor, media, '"3"')

    shown = anonymous.get("/api/v1/products", {"slug": "shoe"})
    assert (response.status_code, response.content) == (204, b"")
    assert [(one["alt"], one["position"]) for one in shown.json()["media"]] == [("In green", 0)]
    assert shown["ETag"].startswith('"4-')


def test_keeps_the_files_for_whoever_shows_them_too(editor, anonymous, media):
    delete(editor, media)

    assert Picture.objects.count() == 2
    assert anonymous.get(f"/media/products/{media.picture.sha256}/160.webp").status_code == 404
    assert anonymous.get(f"/media/products/{media.picture.sha256}/1280.webp").status_code == 200


def test_requires_a_tag(editor, media):
    assert delete(editor, media, tag=None).status_code == 428


def test_refuses_a_stale_tag(editor, media):
    response = delete(editor, media, '"2"')

    assert (response.status_code, response["ETag"]) == (412, '"3"')


def test_does_not_know_the_pictures_of_others(editor, make_product, media):
    assert delete(editor, media, product=make_product()).status_code == 404


def test_refuses_the_anonymous(anonymous, media):
    assert delete(anonymous, media).status_code == 401


def test_refuses_another_scope(as_staff, media):
    assert delete(as_staff("catalog:read"), media).status_code == 403


def test_asks_few_queries(editor, media, django_assert_num_queries):
    with django_assert_num_queries(7):
        delete(editor, media)
