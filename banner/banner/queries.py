"""Reads of banners: what is live at a moment, for whom, and how long that answer stays true."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import joinedload

from banner.extensions import db
from banner.models import Banner, Image, Placement
from chassis.flask.pagination import Key

STATES: Final = ("draft", "scheduled", "live", "ended", "archived")
ORDER: Final = (Key(Banner.priority, descending=True), Key(Banner.public_id))
LARGEST_JPEG: Final = "1280.jpg"
"""The one rendition that is no WebP, and not among those that an image lists."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a banner leads to."""

    kind: str
    ref: str


@dataclass(frozen=True, slots=True)
class RenditionRow:
    """One size of an image; sizes in pixels."""

    url: str
    width: int
    height: int
    type: str


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image as everybody sees it."""

    alt: str
    width: int
    height: int
    color: str
    renditions: list[RenditionRow]
    jpeg: str


@dataclass(frozen=True, slots=True)
class BannerRow:
    """A banner as the API shows it at a moment."""

    id: UUID
    placement: str
    title: str
    subtitle: str
    cta_text: str
    target: Target
    href: str
    theme: str
    background: str
    foreground: str
    image: ImageRow | None
    starts_at: datetime | None
    ends_at: datetime | None
    priority: int
    status: str
    state: str
    audience: str
    categories: list[UUID]
    locale: str
    version: int
    created_at: datetime
    updated_at: datetime


# The members that are columns of the same name.
_SAME: Final = BannerRow.__dataclass_fields__.keys() & {column.key for column in Banner.__table__.columns} - {
    "id"
}


def placements() -> list[Placement]:
    """All places, by code."""
    return list(db.session.scalars(select(Placement).order_by(Placement.code)))


def get_placement(code: str) -> Placement | None:
    """The place with this code."""
    return db.session.scalar(select(Placement).where(Placement.code == code))


def banners() -> Select[Banner]:
    """All banners with their places and images, in one statement."""
    return select(Banner).options(joinedload(Banner.placement), joinedload(Banner.image))


def is_live(now: datetime) -> ColumnElement[bool]:
    """What the public sees at a moment. A host that is no longer allowed takes its banners with it."""
    return and_(in_state("live", now), may_be_followed())


def in_state(state: str, now: datetime) -> ColumnElement[bool]:
    """What is in one of STATES at a moment, as Banner.state_at says of one."""
    starts, ends = Banner.starts_at, Banner.ends_at
    has_started, has_ended = or_(starts.is_(None), starts <= now), ends <= now
    of_published = {
        "scheduled": starts > now,
        "live": and_(has_started, or_(ends.is_(None), ends > now)),
        "ended": and_(has_started, has_ended),
    }
    if state not in of_published:
        return Banner.status == state
    return and_(Banner.status == "published", of_published[state])


def may_be_followed() -> ColumnElement[bool]:
    """What leads into the shop, or to a host that is allowed now."""
    host = func.split_part(Banner.target_ref, "/", 3)
    return or_(Banner.target_kind != "external", host.in_(current_app.config["EXTERNAL_HOSTS"]))


def asked_for(
    *,
    placement: Placement | None = None,
    audience: str | None = None,
    category: UUID | None = None,
    locale: str | None = None,
    ids: Sequence[UUID] | None = None,
) -> list[ColumnElement[bool]]:
    """What suits a place, a kind of visitor, a category, a language; None asks for nothing in particular.

    A banner that names no category, language or kind of visitor suits them all.
    """
    wanted: list[ColumnElement[bool]] = []
    if placement is not None:
        wanted.append(Banner.placement_id == placement.id)
    if audience is not None:
        wanted.append(Banner.audience.in_({"all", audience}))
    if category is not None:
        wanted.append(or_(func.cardinality(Banner.categories) == 0, Banner.categories.contains([category])))
    if locale is not None:
        wanted.append(Banner.locale.in_({"", locale, locale.partition("-")[0]}))
    if ids is not None:
        wanted.append(Banner.public_id.in_(ids))
    return wanted


def seconds_to_change(wanted: Sequence[ColumnElement[bool]], now: datetime) -> float | None:
    """How long what is live of these stays as it is, if nobody writes; None when no start or end is near."""
    starts, ends = Banner.starts_at, Banner.ends_at
    boundary = func.least(func.min(starts).filter(starts > now), func.min(ends).filter(ends > now))
    found = db.session.scalar(select(boundary).where(Banner.status == "published", *wanted))
    return None if found is None else (found - now).total_seconds()


def href(kind: str, ref: str) -> str:
    """Where a target leads: a path of the shop, or an https URL."""
    forms = {
        "product": "/p/{}",
        "category": "/c/{}/",
        "search": "/search?q={}",
        "page": "/{}",
        "external": "{}",
    }
    return forms[kind].format(quote(ref, safe="") if kind == "search" else ref)


def row_of(banner: Banner, now: datetime) -> BannerRow:
    """A banner, read with banners(), as it is at a moment."""
    same = {name: getattr(banner, name) for name in _SAME}
    return BannerRow(
        id=banner.public_id,
        placement=banner.placement.code,
        target=Target(banner.target_kind, banner.target_ref),
        href=href(banner.target_kind, banner.target_ref),
        image=_image_row(banner.image, banner.image_alt) if banner.image else None,
        state=banner.state_at(now),
        **same,
    )


def _image_row(image: Image, alt: str) -> ImageRow:
    def url(name: str) -> str:
        return f"/media/banners/{image.sha256}/{name}"

    renditions = [
        RenditionRow(url(made["name"]), made["width"], made["height"], made["type"])
        for made in image.renditions
    ]
    return ImageRow(alt, image.width, image.height, image.color, renditions, url(LARGEST_JPEG))
