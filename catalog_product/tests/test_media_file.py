import io

import pytest
from PIL import Image

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(make_product, add_media, make_image):
    """Where the files of a picture of a draft are; it is 200 pixels wide."""
    media = add_media(make_product(status="draft"), data=make_image(size=(200, 100)))
    return f"/media/products/{media.picture.sha256}"


@pytest.mark.parametrize(
    ("name", "media_type", "width"),
    [("160.webp", "image/webp", 160), ("1280.webp", "image/webp", 200), ("1280.jpg", "image/jpeg", 200)],
)
def test_serves_a_rendition_for_good(anonymous, folder, name, media_type, width):
    response = anonymous.get(f"{folder}/{name}")

    assert (response.status_code, response["Content-Type"]) == (200, media_type)
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("default-src 'none'")
    assert Image.open(io.BytesIO(response.content)).width == width


def test_answers_304_to_who_knows_it(anonymous, folder):
    tag = anonymous.get(f"{folder}/160.webp")["ETag"]

    response = anonymous.get(f"{folder}/160.webp", headers={"If-None-Match": tag})

    assert (response.status_code, response.content) == (304, b"")
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "header",
    [
        {"If-Match": '"another"'},
        {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
        {"If-None-Match": '"another"'},
    ],
)
def test_minds_no_other_condition(anonymous, folder, header):
    response = anonymous.get(f"{folder}/160.webp", headers=header)

    assert (response.status_code, response["Content-Type"]) == (200, "image/webp")


@pytest.mark.parametrize("header", [{"If-None-Match": "*"}, {"If-Match": '"another"'}])
def test_remembers_for_nobody_that_a_file_is_missing(anonymous, folder, header):
    response = anonymous.get(f"{folder}/640.webp", headers=header)

    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert response["Cache-Control"] == "no-store"


def test_answers_whatever_kind_of_picture_is_asked_for(anonymous, folder):
    assert anonymous.get(f"{folder}/160.webp", headers={"Accept": "image/webp"}).status_code == 200


def test_looks_at_no_token(anonymous, folder):
    headers = {"Authorization": "Bearer a.b.c"}

    assert anonymous.get(f"{folder}/160.webp", headers=headers).status_code == 200


def test_answers_a_head_without_a_body(anonymous, folder):
    response = anonymous.head(f"{folder}/160.webp")

    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    "name", ["640.webp", "161.webp", "160.jpg", "160.webp%0A", "../160.webp", "", "160.webp/"]
)
def test_does_not_know_other_files(anonymous, folder, name):
    response = anonymous.get(f"{folder}/{name}")

    assert (response.status_code, response.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("sha256", ["0" * 64, "0" * 63, "A" * 64, ".."])
def test_does_not_know_other_pictures(anonymous, sha256):
    assert anonymous.get(f"/media/products/{sha256}/160.webp").status_code == 404


def test_lets_nobody_write(editor, folder):
    assert editor.put(f"{folder}/160.webp").status_code == 405
    assert editor.delete(f"{folder}/160.webp").status_code == 405


def test_asks_no_query(anonymous, folder, django_assert_num_queries):
    with django_assert_num_queries(0):
        anonymous.get(f"{folder}/160.webp")
