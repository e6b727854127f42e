import io

import pytest


@pytest.fixture
def picture(editor, make_banner, png):
    """The address of a rendition."""
    form = {"file": (io.BytesIO(png()), "x.png"), "alt": "A hill"}
    url = f"/api/v1/banners/{make_banner().public_id}/image"
    response = editor.put(url, data=form, content_type="multipart/form-data", headers={"If-Match": "*"})
    return response.json["image"]["renditions"][0]["url"]


def test_gives_a_picture_for_ever(anonymous, picture):
    response = anonymous.get(picture)

    assert (response.status_code, response.content_type) == (200, "image/webp")
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.data[8:12] == b"WEBP"


def test_answers_304_to_who_has_it(anonymous, picture):
    tag = anonymous.get(picture).headers["ETag"]

    assert anonymous.get(picture, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_answers_304_to_every_form_of_its_tag(anonymous, picture, form):
    tag = anonymous.get(picture).headers["ETag"]

    response = anonymous.get(picture, headers={"If-None-Match": form.format(tag)})

    assert (response.status_code, response.data, response.headers["ETag"]) == (304, b"", tag)
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": '"x"'},
        {"If-None-Match": '"x"'},
        {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"If-Modified-Since": "Mon, 01 Jan 2091 00:00:00 GMT"},
        {"Range": "bytes=0-3"},
        {"Range": "bytes=999999-"},
    ],
)
def test_gives_it_whole_whatever_else_is_asked_for(anonymous, picture, headers):
    response = anonymous.get(picture, headers=headers)

    assert (response.status_code, response.data[8:12]) == (200, b"WEBP")
    assert len(response.data) == int(response.headers["Content-Length"])
    assert "Accept-Ranges" not in response.headers


def test_answers_head_without_a_body(anonymous, picture):
    response = anonymous.head(picture)

    assert (response.status_code, response.data) == (200, b"")
    assert int(response.headers["Content-Length"]) == len(anonymous.get(picture).data)


def test_looks_at_no_token(anonymous, picture):
    assert anonymous.get(picture, headers={"Authorization": "Bearer a.b.c"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["161.webp", "1280.png", "..%2f160.webp", "%2e%2e/160.webp", "160.webp%00", "", "../../x"]
)
def test_gives_nothing_else(anonymous, picture, path):
    response = anonymous.get(picture.replace("160.webp", path))

    assert (response.status_code, response.content_type) == (404, "application/problem+json")


def test_knows_no_other(anonymous, picture):
    assert anonymous.get(f"/media/banners/{'0' * 64}/160.webp").status_code == 404


def test_asks_nothing(anonymous, picture, count_queries):
    with count_queries() as queries:
        anonymous.get(picture)

    assert queries == []
