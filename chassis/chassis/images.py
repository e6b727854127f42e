"""Pictures that somebody uploads: looked at before they are decoded, and never passed on as they came."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageCms, ImageOps

from chassis.problems import DomainError, FieldError

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_PIXELS: Final = 25_000_000
WIDTHS: Final = (160, 320, 640, 1280)
RENDITION_NAME: Final = r"(?:160|320|640|1280)\.webp|1280\.jpg"
"""Form of a rendition's name, for the path `<sha256>/<name>` under which it is served."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_QUALITY: Final = 82
_WEBP_EFFORT: Final = 2  # Of 6. A fifth of the time of 4, and 3 % more bytes.
_WHITE: Final = (255, 255, 255)


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

    JPEG, PNG and WebP are taken, up to MAX_BYTES and MAX_PIXELS, and judged by their header before a pixel is
    decoded. No rendition is wider than the upload: names above its width are left out but for the largest,
    which then has the upload's width.
    Raises: UnusableImage, ImageTooLarge.
    """
    if len(data) > MAX_BYTES:
        raise ImageTooLarge
    with _unusable_when_broken():
        picture = _decoded(data)
        return Picture(
            sha256=digest(data),
            width=picture.width,
            height=picture.height,
            color=_mean_color(picture),
            renditions=tuple(_renditions(picture)),
        )


def _decoded(data: bytes) -> Image.Image:
    opened = Image.open(io.BytesIO(data), formats=_FORMATS)
    if opened.width * opened.height > MAX_PIXELS:
        raise UnusableImage(f"A picture may have {MAX_PIXELS // 10**6} million pixels.")
    if getattr(opened, "n_frames", 1) != 1:
        raise UnusableImage("Moving pictures are not taken.")
    opened.load()
    upright = ImageOps.exif_transpose(opened)
    has_alpha = upright.has_transparency_data
    made = _in_srgb(upright, opened.info.get("icc_profile")).convert("RGBA" if has_alpha else "RGB")
    # Comments and profiles would be written again with every rendition.
    made.info.clear()
    return made


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile:
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(picture, source, target, outputMode=mode) or picture
    except ImageCms.PyCMSError:
        # A profile that nobody can read says nothing about the colors; without it they are taken for sRGB.
        return picture


def _renditions(picture: Image.Image) -> Iterator[Rendition]:
    widths = {width: width for width in WIDTHS if width <= picture.width}
    widths.setdefault(WIDTHS[-1], picture.width)
    smaller = picture
    sized = {}
    for name, width in sorted(widths.items(), reverse=True):
        # Each is made from the next larger one, which is a fraction of the work and looks the same.
        sized[name] = smaller = _resized(smaller, width)
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
    except DomainError:
        raise
    except Exception as exc:
        raise UnusableImage("The file is not a complete JPEG, PNG or WebP picture.") from exc
