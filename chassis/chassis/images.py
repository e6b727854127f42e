"""Pictures that somebody uploads: looked at before they are decoded, and never passed on as they came."""

import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from PIL import ExifTags, Image, ImageCms, ImageOps

from chassis.problems import DomainError, FieldError

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_PIXELS: Final = 25_000_000
MAX_SIDE: Final = 16_383
"""In pixels, of either side: what WebP can say."""

WIDTHS: Final = (160, 320, 640, 1280)
RENDITION_NAME: Final = r"(?:160|320|640|1280)\.webp|1280\.jpg"
"""Form of a rendition's name, for the path `<sha256>/<name>` under which it is served."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_QUALITY: Final = 82
_WEBP_EFFORT: Final = 2  # Of 6. Less than half the time of 4, and a tenth more bytes.
_WHITE: Final = (255, 255, 255)
_TURNED: Final = frozenset({5, 6, 7, 8})  # EXIF orientations that lie on their side.

_places: Final = threading.BoundedSemaphore(2)


class UnusableImage(DomainError):
    """The file is no picture that can be shown."""

    code = "unusable-image"
    status = 400

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[FieldError("#/file", "unusable", detail)])


class ImageTooLarge(DomainError):
    """The file has more bytes than a picture may have."""

    code = "content-too-large"
    status = 413

    def __init__(self) -> None:
        detail = f"A picture may have {MAX_BYTES} bytes."
        super().__init__(detail, errors=[FieldError("#/file", "too-large", detail)])


class Busy(DomainError):
    """Other pictures are being made ready, as many as a process takes on."""

    code = "unavailable"
    status = 503
    headers: Final = {"Retry-After": "2"}

    def __init__(self) -> None:
        super().__init__("Other pictures are being made ready; send this one again.")


@dataclass(frozen=True, slots=True)
class Rendition:
    """One size and format of a picture; sizes in pixels."""

    name: str
    width: int
    height: int
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """An uploaded picture made ready to be shown. sha256 is that of the upload, in hex; color is its mean."""

    sha256: str
    width: int
    height: int
    color: str
    renditions: tuple[Rendition, ...]


def digest(data: bytes) -> str:
    """SHA-256 in hex, by which the same upload is known again."""
    return hashlib.sha256(data).hexdigest()


def render(data: bytes) -> Picture:
    """An upload as WebP in up to four widths and one JPEG, upright, in sRGB, without any metadata.

    JPEG, PNG and WebP are taken, up to MAX_BYTES, MAX_PIXELS and MAX_SIDE, and judged by their header before
    a pixel is decoded. No rendition is wider than the upload: names above its width are left out but for the
    largest, which then has the upload's width. A process renders two at a time.
    Raises: UnusableImage, ImageTooLarge, Busy.
    """
    if len(data) > MAX_BYTES:
        raise ImageTooLarge
    with _few_at_once(), _unusable_when_broken():
        opened = _opened(data)
        width, height = _upright_size(opened)
        sized = _sized(_decoded(opened))
        return Picture(
            sha256=digest(data),
            width=width,
            height=height,
            color=_mean_color(sized[min(sized)]),
            renditions=tuple(_renditions(sized)),
        )


@contextmanager
def _few_at_once() -> Iterator[None]:
    # Each takes up to a second of processor time and 200 MB: many at once would take them from all others,
    # and every thread of the server with them.
    if not _places.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        _places.release()


def _opened(data: bytes) -> Image.Image:
    opened = Image.open(io.BytesIO(data), formats=_FORMATS)
    if opened.width * opened.height > MAX_PIXELS:
        raise UnusableImage(f"A picture may have {MAX_PIXELS // 10**6} million pixels.")
    if max(opened.size) > MAX_SIDE:
        raise UnusableImage(f"A side of a picture may have {MAX_SIDE} pixels.")
    # A JPEG with several pictures in it is one that carries previews of itself; the first is the picture.
    if opened.format != "MPO" and getattr(opened, "n_frames", 1) != 1:
        raise UnusableImage("Moving pictures are not taken.")
    return opened


def _upright_size(opened: Image.Image) -> tuple[int, int]:
    width, height = opened.size
    is_turned = opened.getexif().get(ExifTags.Base.Orientation) in _TURNED
    return (height, width) if is_turned else (width, height)


def _decoded(opened: Image.Image) -> Image.Image:
    # Made smaller before anything else, for each step makes a copy of all pixels.
    opened.draft(None, (2 * WIDTHS[-1], 2 * WIDTHS[-1]))
    opened.load()
    profile = opened.info.get("icc_profile")
    picture = _in_srgb(_smaller(_in_eight_bits(opened)), profile)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255):
        # Nothing shows through, so nothing has to be kept of what would.
        picture = picture.convert("RGB")
    ImageOps.exif_transpose(picture, in_place=True)
    # Comments and profiles would be written again with every rendition.
    picture.info.clear()
    return picture


def _in_eight_bits(picture: Image.Image) -> Image.Image:
    # One of the modes that can be scaled; what is drawn through a palette cannot.
    if picture.mode.startswith("I"):
        return picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode in {"RGB", "RGBA", "CMYK", "L"} and "transparency" not in picture.info:
        return picture
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _smaller(picture: Image.Image) -> Image.Image:
    factor = min(picture.size) // (2 * WIDTHS[-1])
    if factor < 2:
        return picture
    smaller = picture.reduce(factor)
    smaller.info = dict(picture.info)
    return smaller


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        if profile:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(picture, source, target, outputMode=mode) or picture
    except (ImageCms.PyCMSError, OSError):
        # A profile that nobody can read, or is not for such a picture, says nothing about the colors; without
        # it they are taken for sRGB.
        pass
    return picture if picture.mode == mode else picture.convert(mode)


def _sized(picture: Image.Image) -> dict[int, Image.Image]:
    # By the width in their names.
    widths = {width: width for width in WIDTHS if width <= picture.width}
    widths.setdefault(WIDTHS[-1], picture.width)
    sized = {}
    for name, width in sorted(widths.items(), reverse=True):
        # Each is made from the next larger one, which is a fraction of the work and looks the same.
        sized[name] = picture = _resized(picture, width)
    return sized


def _renditions(sized: dict[int, Image.Image]) -> Iterator[Rendition]:
    for name in sorted(sized):
        yield _encoded(f"{name}.webp", sized[name], "WEBP", quality=_QUALITY, method=_WEBP_EFFORT)
    largest = _on_white(sized[WIDTHS[-1]])
    yield _encoded(f"{WIDTHS[-1]}.jpg", largest, "JPEG", quality=_QUALITY, progressive=True)


def _resized(picture: Image.Image, width: int) -> Image.Image:
    if width >= picture.width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _encoded(name: str, picture: Image.Image, form: str, **options: int | bool) -> Rendition:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return Rendition(name, picture.width, picture.height, Image.MIME[form], buffer.getvalue())


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGB", picture.size, _WHITE)
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def _mean_color(picture: Image.Image) -> str:
    return f"#{_on_white(picture).resize((1, 1), Image.Resampling.BOX).tobytes().hex()}"


@contextmanager
def _unusable_when_broken() -> Iterator[None]:
    # What the decoders raise on hostile bytes is not a closed list; every one of it means the same here.
    try:
        yield
    except (DomainError, MemoryError):
        raise
    except Exception as exc:
        raise UnusableImage("The file is not a complete JPEG, PNG or WebP picture.") from exc
