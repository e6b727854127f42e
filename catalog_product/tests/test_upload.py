import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from catalog_product.models import Media, Picture, Product
from catalog_product.operations import MAX_MEDIA
from chassis.images import MAX_BYTES

pytestmark = pytest.mark.django_db
UNKNOWN = "01999999-0000-7000-8000-000000000000"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_claims(width, height):
    """A few bytes that would become a large picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


@pytest.fixture
def shoe(make_product):
    return make_product("shoe")


def assert_nothing_was_kept(product, folder):
    product.refresh_from_db()
    assert (Media.objects.count(), Picture.objects.count(), product.version) == (0, 0, 1)
    assert files_in(folder) == []


def test_adds_a_picture_as_the_last(editor, shoe, add_media, upload, make_image, media_folder):
    add_media(shoe)
    data = make_image("red", (200, 100))

    response = upload(editor, shoe, data, alt=" From the side ", options='{"colour": "red"}')

    row = response.json()
    assert response.status_code == 201
    assert (row["alt"], row["options"], row["position"]) == ("From the side", {"colour": "red"}, 1)
    assert (row["width"], row["height"], row["color"]) == (200, 100, "#ff0000")
    assert response["ETag"] == '"3"'
    names = [path.split("/")[1] for path in files_in(media_folder) if path.startswith(row["sha256"])]
    assert names == ["1280.jpg", "1280.webp", "160.webp"]


def test_stands_where_it_is_told_and_moves_the_others_on(editor, shoe, add_media, upload):
    first, second = add_media(shoe, "red"), add_media(shoe, "green")

    added = upload(editor, shoe, position=1).json()

    order = [str(one) for one in shoe.media.order_by("position").values_list("public_id", flat=True)]
    assert order == [str(first.public_id), added["id"], str(second.public_id)]
    assert added["position"] == 1


def test_stands_at_the_end_when_the_position_is_beyond(editor, shoe, add_media, upload):
    add_media(shoe, "red")

    assert upload(editor, shoe, position=99).json()["position"] == 1


def test_keeps_nothing_of_what_a_camera_writes_and_turns_it_upright(editor, shoe, upload, media_folder):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "SecretCam"
    buffer = io.BytesIO()
    Image.new("RGB", (80, 40), "red").save(buffer, "JPEG", exif=exif, comment=b"SecretCam")

    row = upload(editor, shoe, buffer.getvalue()).json()

    written = [(media_folder / name).read_bytes() for name in files_in(media_folder)]
    assert (row["width"], row["height"]) == (40, 80)
    assert [b"SecretCam" in data or b"Exif" in data for data in written] == [False] * len(written)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (SVG, "unusable-image"),
        (b"GIF89a" + bytes(40), "unusable-image"),
        (b"not a picture", "unusable-image"),
        (png_that_claims(6000, 5000), "unusable-image"),
        (png_that_claims(2**31 - 1, 2**31 - 1), "unusable-image"),
        (b"", "invalid-input"),
    ],
)
def test_refuses_what_is_no_picture(editor, shoe, upload, media_folder, data, code):
    response = upload(editor, shoe, data)

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert response.json()["errors"][0]["pointer"] == "#/file"
    assert_nothing_was_kept(shoe, media_folder)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_refuses_a_picture_that_breaks_off(editor, shoe, upload, make_image, media_folder, kind):
    whole = make_image(size=(300, 300), kind=kind)

    response = upload(editor, shoe, whole[: len(whole) // 2])

    assert (response.status_code, response.json()["code"]) == (400, "unusable-image")
    assert_nothing_was_kept(shoe, media_folder)


def test_refuses_a_picture_of_too_many_bytes(editor, shoe, upload, make_image, media_folder):
    response = upload(editor, shoe, make_image().ljust(MAX_BYTES + 1, b"\0"))

    assert (response.status_code, response.json()["code"]) == (413, "content-too-large")
    assert_nothing_was_kept(shoe, media_folder)


def test_does_not_read_what_announces_itself_as_too_large(editor, shoe, upload, media_folder):
    response = upload(editor, shoe, bytes(MAX_BYTES + 100_000))

    assert (response.status_code, response.json()["code"]) == (413, "content-too-large")
    assert_nothing_was_kept(shoe, media_folder)


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"alt": None}, "#/alt", "required"),
        ({"alt": " "}, "#/alt", "blank"),
        ({"alt": "x" * 301}, "#/alt", "max-length"),
        ({"file": None}, "#/file", "required"),
        ({"file": "text"}, "#/file", "invalid"),
        ({"options": "red"}, "#/options", "invalid"),
        ({"options": "[]"}, "#/options", "invalid"),
        ({"options": '{"a": "b", "a": "c"}'}, "#/options", "invalid"),
        ({"options": '{"colour": 7}'}, "#/options/colour", "invalid"),
        ({"options": '{"colour": ""}'}, "#/options/colour", "blank"),
        ({"options": '{"a b": "c"}'}, "#/options/a b", "invalid"),
        ({"options": '{"a":"1","b":"1","c":"1","d":"1","e":"1","f":"1"}'}, "#/options", "max-length"),
        ({"position": "first"}, "#/position", "invalid"),
        ({"position": -1}, "#/position", "min-value"),
        ({"colour": "red"}, "#/colour", "unknown"),
    ],
)
def test_points_at_a_wrong_field(editor, shoe, upload, media_folder, fields, pointer, code):
    response = upload(editor, shoe, **fields)

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]
    assert_nothing_was_kept(shoe, media_folder)


def test_refuses_a_field_that_stands_twice(editor, shoe, upload):
    assert upload(editor, shoe, alt=["one", "two"]).status_code == 400


def test_refuses_the_same_picture_for_the_same_options(editor, shoe, upload):
    upload(editor, shoe)

    response = upload(editor, shoe)

    shoe.refresh_from_db()
    assert (response.status_code, response.json()["code"]) == (409, "media-exists")
    assert (shoe.media.count(), shoe.version) == (1, 2)


def test_takes_the_same_picture_for_other_options(editor, shoe, upload):
    upload(editor, shoe)

    assert upload(editor, shoe, options='{"colour": "red"}').status_code == 201
    assert Picture.objects.count() == 1


def test_writes_the_same_bytes_once_for_all_products(editor, shoe, make_product, upload, media_folder):
    first = upload(editor, shoe).json()
    times = [(media_folder / name).stat().st_mtime_ns for name in files_in(media_folder)]

    second = upload(editor, make_product()).json()

    assert second["jpeg"] == first["jpeg"]
    assert Picture.objects.count() == 1
    assert [(media_folder / name).stat().st_mtime_ns for name in files_in(media_folder)] == times


def test_writes_known_bytes_again_when_their_files_are_lost(editor, shoe, make_product, upload, media_folder):
    upload(editor, shoe)
    kept = files_in(media_folder)
    (media_folder / kept[0]).unlink()

    assert upload(editor, make_product("boot")).status_code == 201
    assert files_in(media_folder) == kept
    assert Picture.objects.count() == 1


def test_refuses_more_pictures_than_a_product_may_have(editor, shoe, add_media, upload, make_image):
    [add_media(shoe, f"#0000{number:02x}") for number in range(MAX_MEDIA)]

    response = upload(editor, shoe, make_image("red"))

    assert (response.status_code, response.json()["code"]) == (409, "too-many-media")
    assert shoe.media.count() == Picture.objects.count() == MAX_MEDIA


def test_keeps_no_row_when_the_files_cannot_be_written(editor, shoe, upload, media_folder):
    media_folder.rmdir()
    media_folder.write_text("in the way")
    editor.raise_request_exception = False

    response = upload(editor, shoe)

    assert (response.status_code, response.json()["code"]) == (500, "internal-error")
    assert (Media.objects.count(), Picture.objects.count()) == (0, 0)


def test_does_not_know_others(editor, upload):
    assert upload(editor, Product(public_id=UNKNOWN)).status_code == 404


def test_refuses_another_media_type(editor, shoe):
    url = f"/api/v1/products/{shoe.public_id}/media"

    assert editor.post(url, {"alt": "A shoe"}, format="json").status_code == 415


def test_refuses_the_anonymous(anonymous, shoe, upload):
    assert upload(anonymous, shoe).status_code == 401


def test_refuses_another_scope(as_staff, customer, shoe, upload):
    assert upload(as_staff("catalog:read"), shoe).status_code == 403
    assert upload(customer, shoe).status_code == 403


def test_asks_as_many_queries_however_many_pictures_there_are(
    editor, shoe, add_media, upload, django_assert_num_queries
):
    [add_media(shoe, color) for color in ("red", "green", "blue")]

    with django_assert_num_queries(17):
        upload(editor, shoe, position=0)
