import io

import pytest

from chassis.images import MAX_BYTES


def url(banner):
    return f"/api/v1/banners/{banner.public_id}/image"


def put(client, banner, data, tag='"1"', **members):
    form = {"file": (io.BytesIO(data), "x.png"), "alt": "A hill"} | members
    headers = {} if tag is None else {"If-Match": tag}
    return client.put(url(banner), data=form, content_type="multipart/form-data", headers=headers)


def put_raw(client, banner, data):
    # By hand, for werkzeug's client leaves the temporary file of a large form open.
    head = b'--x\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n'
    body = (
        head % (b"alt", b"") + b"A hill\r\n" + head % (b"file", b'; filename="x"') + data + b"\r\n--x--\r\n"
    )
    form = "multipart/form-data; boundary=x"
    return client.put(url(banner), data=body, content_type=form, headers={"If-Match": '"1"'})


def banner_of(client, banner):
    return client.get(f"/api/v1/banners/{banner.public_id}").json


@pytest.fixture
def banner(make_banner):
    return make_banner()


def test_shows_a_picture(editor, anonymous, banner, png):
    response = put(editor, banner, png(400, 200, "#336699"))

    image = response.json["image"]
    assert (response.status_code, response.headers["ETag"]) == (200, '"2"')
    assert (image["alt"], image["width"], image["height"], image["color"]) == ("A hill", 400, 200, "#336699")
    assert [(each["width"], each["type"]) for each in image["renditions"]] == [
        (160, "image/webp"),
        (320, "image/webp"),
        (400, "image/webp"),
    ]
    assert anonymous.get(image["jpeg"]).content_type == "image/jpeg"


def test_answers_with_what_it_shows_though_somebody_deletes_it_at_once(editor, banner, png, deleted_after):
    deleted_after("set_image")

    response = put(editor, banner, png())

    assert (response.status_code, response.json["image"]["alt"]) == (200, "A hill")


def test_answers_without_a_picture_though_somebody_deletes_it_at_once(editor, banner, png, deleted_after):
    put(editor, banner, png())
    deleted_after("remove_image")

    response = editor.delete(url(banner), headers={"If-Match": '"2"'})

    assert (response.status_code, response.json["image"]) == (200, None)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_takes_every_usual_form(editor, banner, png, form):
    assert put(editor, banner, png(form=form)).status_code == 200


def test_draws_the_same_bytes_once(editor, make_banner, png, media):
    data = png(color="#010203")
    first = put(editor, make_banner(), data).json["image"]
    drawn = {path: path.stat().st_mtime_ns for path in media.rglob("*.webp")}

    second = put(editor, make_banner(), data, alt="Another").json["image"]

    assert second == first | {"alt": "Another"}
    assert {path: path.stat().st_mtime_ns for path in media.rglob("*.webp")} == drawn


def test_draws_again_what_the_folder_has_lost(editor, anonymous, make_banner, png, media):
    data = png(color="#0a0b0c")
    url = put(editor, make_banner(), data).json["image"]["jpeg"]
    folder = media / url.split("/")[3]
    folder.rename(folder.with_suffix(".gone"))

    put(editor, make_banner(), data)

    assert anonymous.get(url).status_code == 200


@pytest.mark.parametrize("name", ["160.webp", "320.webp", "1280.webp", "1280.jpg"])
def test_draws_again_a_file_that_the_folder_has_lost(editor, anonymous, make_banner, png, media, name):
    data = png(color="#0b0c0d")
    url = put(editor, make_banner(), data).json["image"]["jpeg"].replace("1280.jpg", name)
    (media / url.removeprefix("/media/banners/")).unlink()

    put(editor, make_banner(), data)

    assert anonymous.get(url).status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_refuses_what_is_no_picture(editor, banner, data):
    response = put(editor, banner, data)

    assert (response.status_code, response.json["code"]) == (400, "unusable-image")
    assert response.json["errors"][0]["pointer"] == "#/file"
    assert editor.get(f"/api/v1/banners/{banner.public_id}").json["version"] == 1


def test_refuses_too_many_pixels(editor, banner, png):
    response = put(editor, banner, png(5001, 5000))

    assert (response.status_code, response.json["code"]) == (400, "unusable-image")


def test_refuses_too_many_bytes(editor, banner):
    response = put_raw(editor, banner, b"x" * (MAX_BYTES + 1))

    assert (response.status_code, response.json["code"]) == (413, "content-too-large")


def test_reads_nothing_that_is_announced_to_be_too_large(editor, banner):
    response = put_raw(editor, banner, b"x" * (MAX_BYTES + 70_000))

    assert (response.status_code, response.json["code"]) == (413, "content-too-large")


@pytest.mark.parametrize("twice", ["alt", "file", "picture"])
def test_takes_each_member_once(editor, banner, png, twice):
    again = {"alt": ["A hill", "B"], "file": [(io.BytesIO(png()), "x.png"), (io.BytesIO(png()), "y.png")]}
    again["picture"] = (io.BytesIO(png()), "z.png")

    response = put(editor, banner, png(), **{twice: again[twice]})

    assert (response.status_code, banner_of(editor, banner)["version"]) == (400, 1)


@pytest.mark.parametrize("alt", ["", "  "])
def test_needs_an_alternative_text(editor, banner, png, alt):
    response = put(editor, banner, png(), alt=alt)

    assert response.status_code == 400
    assert [(each["pointer"], each["code"]) for each in response.json["errors"]] == [("#/alt", "blank")]


def test_points_at_what_is_missing(editor, banner):
    form = {"color": "x"}

    response = editor.put(
        url(banner), data=form, content_type="multipart/form-data", headers={"If-Match": "*"}
    )

    pointers = {each["pointer"] for each in response.json["errors"]}
    assert pointers == {"#/file", "#/alt", "#/color"}


def test_takes_a_form_only(editor, banner):
    response = editor.put(url(banner), json={}, headers={"If-Match": "*"})

    assert (response.status_code, response.json["code"]) == (415, "unsupported-media-type")


def test_requires_the_current_tag(editor, banner, png):
    assert put(editor, banner, png(), None).status_code == 428
    assert put(editor, banner, png(), '"7"').status_code == 412


def test_takes_the_picture_away(editor, banner, png):
    put(editor, banner, png())

    response = editor.delete(url(banner), headers={"If-Match": '"2"'})

    assert (response.status_code, response.json["image"]) == (200, None)
    assert response.headers["ETag"] == '"3"'


def test_takes_it_away_for_who_has_the_current_tag(editor, banner):
    assert editor.delete(url(banner)).status_code == 428
    assert editor.delete(url(banner), headers={"If-Match": '"7"'}).status_code == 412


def test_refuses_everybody_else(anonymous, customer, as_staff, banner, png):
    assert put(anonymous, banner, png()).status_code == 401
    assert put(customer, banner, png()).status_code == 403
    assert put(as_staff("banner:read"), banner, png()).status_code == 403
    assert customer.delete(url(banner)).status_code == 403


def test_asks_few_queries(editor, banner, png, count_queries):
    with count_queries() as queries:
        put(editor, banner, png(color="#0f0f0f"))

    assert len(queries) == 8
