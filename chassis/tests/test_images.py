import io
import resource
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from chassis import images
from chassis.images import MAX_BYTES, Busy, ImageTooLarge, UnusableImage, digest, render

ORIENTATION, MAKER = 0x0112, 0x010F


def encoded(form="JPEG", size=(400, 500), mode="RGB", color=(200, 30, 30), **options):
    buffer = io.BytesIO()
    Image.new(mode, size, color).save(buffer, form, **options)
    return buffer.getvalue()


def claiming(width, height):
    """A PNG of a few bytes whose header claims a size."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def opened(rendition):
    return Image.open(io.BytesIO(rendition.data))


def exif(**values):
    made = Image.Exif()
    made[MAKER] = "A camera that knows where you live"
    made.update(values.get("tags", {}))
    return made.tobytes()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_makes_four_widths_and_a_jpeg(form):
    picture = render(encoded(form, size=(1600, 2000)))

    made = {each.name: (each.width, each.height, each.media_type) for each in picture.renditions}
    assert made == {
        "160.webp": (160, 200, "image/webp"),
        "320.webp": (320, 400, "image/webp"),
        "640.webp": (640, 800, "image/webp"),
        "1280.webp": (1280, 1600, "image/webp"),
        "1280.jpg": (1280, 1600, "image/jpeg"),
    }


def test_says_what_was_uploaded():
    data = encoded("PNG", size=(400, 500), color=(10, 200, 30))

    picture = render(data)

    assert (picture.width, picture.height, picture.color) == (400, 500, "#0ac81e")
    assert picture.sha256 == digest(data)


def test_never_enlarges():
    picture = render(encoded(size=(200, 250)))

    assert {each.name: each.width for each in picture.renditions} == {
        "160.webp": 160,
        "1280.webp": 200,
        "1280.jpg": 200,
    }


def test_keeps_a_tiny_picture():
    assert {(each.width, each.height) for each in render(encoded(size=(1, 1))).renditions} == {(1, 1)}


def test_renditions_are_what_they_say():
    for_each = [(opened(each), each) for each in render(encoded(size=(800, 1000))).renditions]

    assert all(image.size == (each.width, each.height) for image, each in for_each)
    assert all(Image.MIME[image.format] == each.media_type for image, each in for_each)


def test_turns_a_picture_upright():
    picture = render(encoded(size=(400, 300), exif=exif(tags={ORIENTATION: 6})))

    assert (picture.width, picture.height) == (300, 400)


def test_drops_what_a_camera_wrote():
    picture = render(encoded(exif=exif(), comment=b"hidden"))

    assert not [each for each in picture.renditions if b"camera" in each.data or b"hidden" in each.data]
    assert not [each for each in picture.renditions if opened(each).getexif()]


def test_drops_what_follows_the_picture():
    picture = render(encoded("PNG") + b"<script>alert(1)</script>")

    assert not [each for each in picture.renditions if b"script" in each.data]


def test_keeps_transparency_in_webp_and_lays_the_jpeg_on_white():
    picture = render(encoded("PNG", mode="RGBA", color=(0, 0, 0, 0)))

    by_name = {each.name: opened(each) for each in picture.renditions}
    assert by_name["1280.webp"].mode == "RGBA"
    assert by_name["1280.jpg"].getpixel((0, 0)) == (255, 255, 255)


def test_drops_a_transparency_that_nothing_shows_through():
    picture = render(encoded("PNG", mode="RGBA", color=(1, 2, 3, 255)))

    assert {opened(each).mode for each in picture.renditions} == {"RGB"}


@pytest.mark.parametrize(("mode", "color"), [("L", 128), ("1", 1), ("CMYK", (0, 128, 128, 0)), ("P", 3)])
def test_takes_other_color_models(mode, color):
    form = "JPEG" if mode == "CMYK" else "PNG"

    assert opened(render(encoded(form, mode=mode, color=color)).renditions[0]).mode == "RGB"


def test_is_deterministic():
    data = encoded(size=(700, 900))

    assert render(data) == render(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        encoded("GIF", mode="P", color=3),
        encoded("TIFF"),
        encoded("BMP"),
        encoded("JPEG")[:300],
        encoded("PNG")[:200],
        encoded("WEBP")[:60],
        claiming(10, 10),
        b"\xff\xd8\xff" + b"\x00" * 1000,
        b"%PDF-1.4",
    ],
)
def test_refuses_what_is_no_complete_picture(data):
    with pytest.raises(UnusableImage) as refused:
        render(data)

    assert refused.value.errors[0].pointer == "#/file"


def test_refuses_moving_pictures():
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])

    with pytest.raises(UnusableImage):
        render(buffer.getvalue())


@pytest.mark.parametrize("size", [(5001, 5000), (2**31 - 1, 2**31 - 1), (25_000_001, 1)])
def test_refuses_too_many_pixels_before_any_is_decoded(size):
    data = claiming(*size)

    with pytest.raises(UnusableImage, match=r"million pixels|not a complete"):
        render(data)


@pytest.mark.parametrize("size", [(1, 16_384), (16_384, 1)])
def test_refuses_a_side_that_webp_cannot_say(size):
    with pytest.raises(UnusableImage, match="16383"):
        render(encoded("PNG", size=size))


def test_takes_a_jpeg_that_carries_a_preview_of_itself():
    buffer = io.BytesIO()
    preview = Image.new("RGB", (10, 10))
    Image.new("RGB", (400, 500), "red").save(buffer, "MPO", save_all=True, append_images=[preview])

    picture = render(buffer.getvalue())

    assert (picture.width, picture.height, picture.color) == (400, 500, "#fe0000")


def test_keeps_the_shades_of_a_picture_in_sixteen_bits():
    sixteen = Image.new("I;16", (200, 10))
    sixteen.putdata([int(65535 * column / 199) for _ in range(10) for column in range(200)])
    buffer = io.BytesIO()
    sixteen.save(buffer, "PNG")

    row = opened(render(buffer.getvalue()).renditions[-1]).convert("L")

    assert [abs(row.getpixel((column, 5)) - 255 * column // 199) < 8 for column in (0, 60, 120, 199)] == [
        True
    ] * 4


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_ignores_a_profile_that_nobody_can_read(form):
    assert render(encoded(form, icc_profile=b"not a profile" * 20)).width == 400


def test_keeps_what_is_transparent_beside_a_profile():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded("PNG", color=(255, 0, 0), transparency=(255, 0, 0), icc_profile=profile)

    assert opened(render(data).renditions[0]).getpixel((0, 0))[3] == 0


def test_makes_a_large_picture_ready_in_little_memory():
    before = peak_of_this_process()

    render(encoded("PNG", mode="RGBA", size=(5000, 5000), color=(1, 2, 3, 200)))

    assert peak_of_this_process() - before < 350 * 1024


def test_takes_on_no_more_than_two_at_once():
    with images._places, images._places, pytest.raises(Busy):
        render(encoded())

    assert render(encoded()).width == 400


def peak_of_this_process():
    """In kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_refuses_too_many_bytes():
    with pytest.raises(ImageTooLarge):
        render(encoded("PNG") + bytes(MAX_BYTES))
