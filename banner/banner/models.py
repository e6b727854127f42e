"""Banners, the places they are shown at, their images, and the log of who changed what."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Uuid
from sqlalchemy import DateTime as Timestamp
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from banner.extensions import Base
from chassis.ids import uuid7

SLUG: Final = "[A-Za-z0-9]+(-[A-Za-z0-9]+)*"
REF_FORMS: Final = {
    "product": SLUG,
    "category": f"{SLUG}(/{SLUG})*",
    "search": "[^\\x01-\\x1f\\x7f]{1,100}",
    "page": f"{SLUG}(/{SLUG})*",
    "external": "https://[a-z0-9-]+(\\.[a-z0-9-]+)+(/[\\x21\\x23-\\x5b\\x5d-\\x7e]*)?",
}
"""Of each kind of target, what its reference looks like."""
STATUSES: Final = ("draft", "published", "archived")
THEMES: Final = ("light", "dark")
AUDIENCES: Final = ("all", "guest", "customer")
COLOR_FORM: Final = "#[0-9a-f]{6}"
LOCALE_FORM: Final = "([a-z]{2}(-[A-Z]{2})?)?"


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


_TARGETS: Final = " OR ".join(
    f"(target_kind = '{kind}' AND target_ref ~ '^({form})$')" for kind, form in REF_FORMS.items()
)


class Placement(Base):
    """A place where banners are shown; as many as max_items to who does not ask for another number."""

    __tablename__ = "placement"
    __table_args__ = (
        CheckConstraint("code ~ '^[a-z]+(_[a-z]+)*$'", name="placement_code_check"),
        CheckConstraint("max_items BETWEEN 1 AND 100", name="placement_max_items_check"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    max_items: Mapped[int] = mapped_column(Integer)

    def __str__(self) -> str:
        return self.name


class Image(Base):
    """An uploaded picture with the renditions made of it; several banners may show the same."""

    __tablename__ = "image"
    __table_args__ = (
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="image_sha256_check"),
        CheckConstraint("width > 0 AND height > 0", name="image_size_check"),
        CheckConstraint(f"color ~ '^{COLOR_FORM}$'", name="image_color_check"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    color: Mapped[str] = mapped_column(String(7))
    renditions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class Banner(Base):
    """A banner. The integer key never leaves the database; ends_at is exclusive."""

    __tablename__ = "banner"
    __table_args__ = (
        CheckConstraint("title ~ '\\S'", name="banner_title_check"),
        CheckConstraint(_TARGETS, name="banner_target_check"),
        CheckConstraint(_one_of("theme", THEMES), name="banner_theme_check"),
        CheckConstraint(f"background ~ '^{COLOR_FORM}$'", name="banner_background_check"),
        CheckConstraint(f"foreground ~ '^{COLOR_FORM}$'", name="banner_foreground_check"),
        CheckConstraint("(image_id IS NULL) = (image_alt !~ '\\S')", name="banner_image_has_alt"),
        CheckConstraint("starts_at < ends_at", name="banner_starts_before_it_ends"),
        CheckConstraint("priority BETWEEN 0 AND 100", name="banner_priority_check"),
        CheckConstraint(_one_of("status", STATUSES), name="banner_status_check"),
        CheckConstraint(_one_of("audience", AUDIENCES), name="banner_audience_check"),
        CheckConstraint("cardinality(categories) <= 100", name="banner_categories_check"),
        CheckConstraint(f"locale ~ '^{LOCALE_FORM}$'", name="banner_locale_check"),
        CheckConstraint("version >= 1", name="banner_version_starts_at_1"),
        Index("banner_order_idx", "placement_id", "priority", "public_id"),
        Index("banner_image_idx", "image_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    public_id: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid7)
    placement_id: Mapped[int] = mapped_column(ForeignKey("placement.id"))
    title: Mapped[str] = mapped_column(String(120))
    subtitle: Mapped[str] = mapped_column(String(240), default="")
    cta_text: Mapped[str] = mapped_column(String(40), default="")
    target_kind: Mapped[str] = mapped_column(String(16))
    target_ref: Mapped[str] = mapped_column(String(2000))
    theme: Mapped[str] = mapped_column(String(8), default="light")
    background: Mapped[str] = mapped_column(String(7), default="#ffffff")
    foreground: Mapped[str] = mapped_column(String(7), default="#111111")
    image_id: Mapped[int | None] = mapped_column(ForeignKey("image.id"))
    image_alt: Mapped[str] = mapped_column(String(300), default="")
    starts_at: Mapped[datetime | None] = mapped_column(Timestamp(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(Timestamp(timezone=True))
    priority: Mapped[int] = mapped_column(Integer, default=50)
    status: Mapped[str] = mapped_column(String(16), default="draft")
    audience: Mapped[str] = mapped_column(String(16), default="all")
    categories: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    locale: Mapped[str] = mapped_column(String(8), default="")
    version: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(Timestamp(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(Timestamp(timezone=True))

    placement: Mapped[Placement] = relationship(lazy="raise")
    image: Mapped[Image | None] = relationship(lazy="raise")

    def state_at(self, now: datetime) -> str:
        """What a banner is at a moment: draft, scheduled, live, ended or archived."""
        if self.status != "published":
            return self.status
        if self.starts_at is not None and now < self.starts_at:
            return "scheduled"
        return "live" if self.ends_at is None or now < self.ends_at else "ended"

    @property
    def contrast(self) -> float:
        """How well the foreground is read on the background, 1 to 21 (WCAG 2.2, contrast ratio)."""
        lights = sorted((_luminance(self.background), _luminance(self.foreground)))
        return (lights[1] + 0.05) / (lights[0] + 0.05)


class LogEntry(Base):
    """Who (the subject of the token) changed which banner, when, and which members. Nobody changes it."""

    __tablename__ = "log_entry"
    __table_args__ = (
        CheckConstraint(_one_of("action", ("create", "update", "delete")), name="log_entry_action_check"),
        Index("log_entry_banner_idx", "banner"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    banner: Mapped[UUID] = mapped_column(Uuid)
    action: Mapped[str] = mapped_column(String(16))
    members: Mapped[list[str]] = mapped_column(ARRAY(String(40)))
    subject: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Timestamp(timezone=True))


def _luminance(color: str) -> float:
    # Relative luminance of #rrggbb (WCAG 2.2).
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
