"""Every write of banners: rules that need more than one member, one row locked, and a line in the log."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from flask import current_app
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from banner import queries
from banner.extensions import db
from banner.models import REF_FORMS, Banner, Image, LogEntry
from chassis.files import replace_file
from chassis.images import Picture, digest, render
from chassis.preconditions import Expected
from chassis.problems import DomainError, FieldError

MIN_CONTRAST: Final = 4.5
"""What text of normal size needs to be read by most (WCAG 2.2, 1.4.3 AA)."""

# Looked at by the rules before the database would fill them in.
_DEFAULTS: Final = {
    name: column.default.arg
    for name, column in Banner.__table__.columns.items()
    if column.default is not None and column.default.is_scalar
}


class NoSuchBanner(DomainError):
    """There is no banner with this id."""

    code = "not-found"
    status = 404


class UnknownPlacement(DomainError):
    """The input names a place that there is not."""

    code = "unknown-placement"
    status = 422

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("#/placement", "unknown", "There is no such placement.")])


class MalformedTarget(DomainError):
    """The reference does not have the form of its kind, or names a host that is not allowed."""

    code = "invalid-input"
    status = 400

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail, errors=[FieldError("#/target/ref", code, detail)])


class EndsBeforeItStarts(DomainError):
    """A banner would never be live."""

    code = "invalid-input"
    status = 400

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("#/ends_at", "invalid", "It must be after starts_at.")])


class ContrastTooLow(DomainError):
    """The text could not be read by everybody on this background."""

    code = "invalid-input"
    status = 400

    def __init__(self, contrast: float) -> None:
        detail = f"The contrast is {contrast:.2f} and must be at least {MIN_CONTRAST}."
        super().__init__(errors=[FieldError("#/foreground", "contrast-too-low", detail)])


def create_banner(
    *, actor: str, now: datetime, placement: str, target: dict[str, str], **values: Any
) -> Banner:
    """Add a banner; actor is the subject of whoever does it. Like all writes it gives back what
    queries.row_of takes, read within the transaction.

    Raises: UnknownPlacement, MalformedTarget, EndsBeforeItStarts, ContrastTooLow.
    """
    with _transaction():
        members = values | {"placement": placement, "target": target}
        columns = _DEFAULTS | _columns(None, members)
        banner = Banner(created_at=now, updated_at=now, **columns)
        _check(banner)
        db.session.add(banner)
        # Gives it the id that the log speaks of.
        db.session.flush()
        _log(banner, "create", sorted(members), actor, now)
        return _written(banner)


def update_banner(
    *, banner_id: UUID, expected: Expected, actor: str, now: datetime, changes: dict[str, Any]
) -> Banner:
    """Change members of a banner; `target` may name its kind or its ref alone. No change makes no version.

    Raises: NoSuchBanner, PreconditionFailed, and what create_banner raises.
    """
    with _transaction():
        banner = _locked(banner_id, expected)
        _change(banner, _columns(banner, changes), actor, now)
        return _written(banner)


def delete_banner(*, banner_id: UUID, expected: Expected, actor: str, now: datetime) -> None:
    """Remove a banner; its image stays, for others may show it.

    Raises: NoSuchBanner, PreconditionFailed.
    """
    with _transaction():
        banner = _locked(banner_id, expected)
        db.session.delete(banner)
        _log(banner, "delete", [], actor, now)


def set_image(
    *, banner_id: UUID, expected: Expected, actor: str, now: datetime, data: bytes, alt: str
) -> Banner:
    """Show an uploaded picture, JPEG, PNG or WebP, with this alternative text. The same bytes are drawn once.

    They are drawn again when a file of them is gone, as after a restore of the database alone.
    Raises: NoSuchBanner, PreconditionFailed, UnusableImage, ImageTooLarge, Busy.
    """
    # Looked at before the costly part, and again with the row locked, which must not wait for it.
    _found(banner_id, expected)
    db.session.rollback()
    sha256 = digest(data)
    picture = None if _is_kept(sha256) else render(data)
    if picture is not None:
        _keep(picture)
    with _transaction():
        image_id = _image_id(sha256, picture)
        banner = _locked(banner_id, expected)
        _change(banner, {"image_id": image_id, "image_alt": alt}, actor, now)
        return _written(banner)


def remove_image(*, banner_id: UUID, expected: Expected, actor: str, now: datetime) -> Banner:
    """Show no picture any more.

    Raises: NoSuchBanner, PreconditionFailed.
    """
    with _transaction():
        banner = _locked(banner_id, expected)
        _change(banner, {"image_id": None, "image_alt": ""}, actor, now)
        return _written(banner)


@contextmanager
def _transaction() -> Iterator[None]:
    try:
        yield
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise


def _found(banner_id: UUID, expected: Expected, *, lock: bool = False) -> Banner:
    query = select(Banner).where(Banner.public_id == banner_id)
    banner = db.session.scalar(query.with_for_update() if lock else query)
    if banner is None:
        raise NoSuchBanner
    expected.check(banner.version)
    return banner


def _locked(banner_id: UUID, expected: Expected) -> Banner:
    return _found(banner_id, expected, lock=True)


def _columns(banner: Banner | None, members: dict[str, Any]) -> dict[str, Any]:
    # The members of the API as columns: a place by its key, a target as two.
    columns = {name: value for name, value in members.items() if name not in {"placement", "target"}}
    if "placement" in members:
        placement = queries.get_placement(members["placement"])
        if placement is None:
            raise UnknownPlacement
        columns["placement_id"] = placement.id
    if "target" in members:
        columns |= {f"target_{name}": value for name, value in members["target"].items()}
    if "target" in members or banner is None:
        kind, ref = (columns.get(name, getattr(banner, name, "")) for name in ("target_kind", "target_ref"))
        _check_target(kind, ref)
    return columns


def _check_target(kind: str, ref: str) -> None:
    if not re.fullmatch(REF_FORMS[kind], ref):
        raise MalformedTarget("invalid", f"This is not the reference of a target of kind {kind}.")
    if kind == "external" and ref.split("/")[2] not in current_app.config["EXTERNAL_HOSTS"]:
        raise MalformedTarget("host-not-allowed", "This host is not one that banners may lead to.")


def _check(banner: Banner) -> None:
    if banner.starts_at and banner.ends_at and banner.starts_at >= banner.ends_at:
        raise EndsBeforeItStarts
    if banner.contrast < MIN_CONTRAST:
        raise ContrastTooLow(banner.contrast)


def _change(banner: Banner, columns: dict[str, Any], actor: str, now: datetime) -> None:
    changed = {name: value for name, value in columns.items() if getattr(banner, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(banner, name, value)
    _check(banner)
    banner.version += 1
    banner.updated_at = now
    _log(banner, "update", sorted(changed), actor, now)


def _log(banner: Banner, action: str, members: list[str], actor: str, now: datetime) -> None:
    entry = LogEntry(banner=banner.public_id, action=action, members=members, subject=actor, created_at=now)
    db.session.add(entry)


def _written(banner: Banner) -> Banner:
    # Nobody can delete the row before the transaction ends.
    query = queries.banners().where(Banner.id == banner.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def _is_kept(sha256: str) -> bool:
    made = db.session.scalar(select(Image.renditions).where(Image.sha256 == sha256))
    db.session.rollback()
    if made is None:
        return False
    names = [*(each["name"] for each in made), queries.LARGEST_JPEG]
    return all((_folder(sha256) / name).is_file() for name in names)


def _image_id(sha256: str, picture: Picture | None) -> int:
    if picture is not None:
        made = [
            {"name": each.name, "width": each.width, "height": each.height, "type": each.media_type}
            for each in picture.renditions
            if each.media_type == "image/webp"
        ]
        values = {
            "sha256": sha256,
            "width": picture.width,
            "height": picture.height,
            "color": picture.color,
            "renditions": made,
        }
        db.session.execute(insert(Image).values(values).on_conflict_do_nothing())
    return db.session.scalars(select(Image.id).where(Image.sha256 == sha256)).one()


def _folder(sha256: str) -> Path:
    return Path(current_app.config["MEDIA"]) / sha256


def _keep(picture: Picture) -> None:
    folder = _folder(picture.sha256)
    folder.mkdir(exist_ok=True)
    for rendition in picture.renditions:
        replace_file(folder / rendition.name, rendition.data)
