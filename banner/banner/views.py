"""Banners over HTTP: who may ask, what is asked, and one call that answers it."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, current_app, request
from flask.views import MethodView
from sqlalchemy import select
from werkzeug.exceptions import NotFound

from banner import operations, queries, schemas
from banner.extensions import db
from banner.models import Banner, Placement
from chassis.flask import access, bodies, etags
from chassis.flask.access import PublicReads
from chassis.flask.openapi import StrictBlueprint
from chassis.flask.pagination import PAGE, Page, paginate
from chassis.images import RENDITION_NAME
from chassis.lists import InvalidParameter
from chassis.preconditions import Expected, is_known
from chassis.web import PUBLIC_SECONDS

api = StrictBlueprint("banners", __name__, url_prefix="/api/v1", description="What is shown where, and when.")
media = Blueprint("media", __name__, url_prefix="/media/banners")

_READ: Final = "banner:read"
_WRITE: Final = "banner:write"
_FOREVER: Final = "public, max-age=31536000, immutable"
_RENDITION: Final = re.compile(f"[0-9a-f]{{64}}/(?:{RENDITION_NAME})")
_MEDIA_TYPES: Final = {".webp": "image/webp", ".jpg": "image/jpeg"}
_PLACEMENTS_CACHE: Final = f"public, max-age={PUBLIC_SECONDS}, stale-while-revalidate=300"


@api.route("/placements")
class Placements(MethodView):
    public = True

    @api.documented(
        "The places where banners are shown",
        {200: schemas.PlacementList},
        is_public=True,
        parameters=[etags.IF_NONE_MATCH],
        operationId="placements_list",
    )
    def get(self) -> Response:
        bodies.read_query(request)
        data = {"data": queries.placements(), "next_cursor": None}
        return etags.answer(schemas.PlacementList().dump(data), cache_control=_PLACEMENTS_CACHE)


@api.route("/banners")
class Banners(PublicReads):
    required_scope = {"GET": _READ, "POST": _WRITE}

    @api.documented(
        "What is live now, by priority",
        {200: schemas.BannerList},
        403,
        is_public=True,
        parameters=[*PAGE, etags.IF_NONE_MATCH],
        description=(
            "With `banner:read` all banners. With `ids` and no `limit` all are in one answer. "
            "With `placement` its `max_items` is the limit when none is given; a larger one shows more."
        ),
        operationId="banners_list",
    )
    @api.arguments(schemas.ListQuery, location="query")
    def get(self, query: dict[str, Any]) -> Response:
        if "state" in query:
            access.require(_READ)
        now, sees_all = _now(), access.sees_more(_READ)
        placement = _placement(query)
        names = ("audience", "category", "locale", "ids")
        wanted = queries.asked_for(placement=placement, **{name: query.get(name) for name in names})
        seen = [] if sees_all else [queries.is_live(now)]
        if "state" in query:
            seen.append(queries.in_state(query["state"], now))
        page = _page(queries.banners().where(*wanted, *seen), query, placement)
        data = {"data": _rows(page.rows, now), "next_cursor": page.next_cursor}
        cache = "" if sees_all else _cache_control(queries.seconds_to_change(wanted, now))
        return etags.answer(schemas.BannerList().dump(data), cache_control=cache)

    @api.documented(
        "Add a banner", {201: schemas.BannerOutput}, 403, 413, 415, 422, operationId="banners_create"
    )
    @api.arguments(schemas.BannerInput)
    def post(self, data: dict[str, Any]) -> Response:
        bodies.read_query(request)
        banner = operations.create_banner(actor=access.subject(), now=_now(), **data)
        return _written(banner, 201, f"/api/v1/banners/{banner.public_id}")


@api.route("/banners/preview")
class Preview(MethodView):
    required_scope = _READ

    @api.documented(
        "What will be live at a moment, as many as the place shows",
        {200: schemas.BannerPreview},
        403,
        parameters=[etags.IF_NONE_MATCH],
        operationId="banners_preview",
    )
    @api.arguments(schemas.PreviewQuery, location="query")
    def get(self, query: dict[str, Any]) -> Response:
        placement, at = _placement(query), query.get("at") or _now()
        shown = queries.banners().where(*queries.asked_for(placement=placement), queries.is_live(at))
        ordered = shown.order_by(*(part.order for part in queries.ORDER))
        rows = db.session.scalars(ordered.limit(placement.max_items if placement else None))
        return etags.answer(schemas.BannerPreview().dump({"data": _rows(rows, at)}))


@api.route("/banners/<uuid:banner_id>")
class BannerDetail(PublicReads):
    required_scope = {"GET": _READ, "PATCH": _WRITE, "DELETE": _WRITE}

    @api.documented(
        "One banner",
        {200: schemas.BannerOutput},
        404,
        is_public=True,
        parameters=[etags.IF_NONE_MATCH],
        operationId="banners_get",
    )
    def get(self, banner_id: UUID) -> Response:
        bodies.read_query(request)
        now, sees_all = _now(), access.sees_more(_READ)
        wanted = queries.asked_for(ids=[banner_id])
        seen = [] if sees_all else [queries.is_live(now)]
        banner = db.session.scalar(queries.banners().where(*wanted, *seen))
        if banner is None:
            raise operations.NoSuchBanner
        cache = "" if sees_all else _cache_control(queries.seconds_to_change(wanted, now))
        data = schemas.BannerOutput().dump(queries.row_of(banner, now))
        return etags.answer(data, version=banner.version, cache_control=cache)

    @api.documented(
        "Change members of a banner",
        {200: schemas.BannerOutput},
        *(403, 404, 412, 413, 415, 422, 428),
        parameters=[etags.IF_MATCH],
        operationId="banners_update",
    )
    @etags.needs_if_match
    @api.arguments(schemas.BannerPatch, content_type=bodies.MERGE_PATCH)
    def patch(self, data: dict[str, Any], banner_id: UUID, expected: Expected) -> Response:
        bodies.read_query(request)
        banner = operations.update_banner(
            banner_id=banner_id, expected=expected, actor=access.subject(), now=_now(), changes=data
        )
        return _written(banner)

    @api.documented(
        "Delete a banner",
        {204: None},
        *(403, 404, 412, 428),
        parameters=[etags.IF_MATCH],
        operationId="banners_delete",
    )
    @etags.needs_if_match
    def delete(self, banner_id: UUID, expected: Expected) -> Response:
        bodies.read_query(request)
        operations.delete_banner(banner_id=banner_id, expected=expected, actor=access.subject(), now=_now())
        return Response(status=204)


@api.route("/banners/<uuid:banner_id>/go")
class Go(MethodView):
    public = True

    @api.documented(
        "Follow a live banner to its stored target",
        {302: None},
        404,
        is_public=True,
        operationId="banners_go",
    )
    def get(self, banner_id: UUID) -> Response:
        bodies.read_query(request)
        wanted = [*queries.asked_for(ids=[banner_id]), queries.is_live(_now())]
        banner = db.session.scalar(select(Banner).where(*wanted))
        if banner is None:
            raise operations.NoSuchBanner
        response = Response(status=302)
        response.headers["Location"] = queries.href(banner.target_kind, banner.target_ref)
        response.autocorrect_location_header = False
        # The place of the redirect says nothing to a foreign host but where the visitor comes from.
        response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
        response.headers["Cache-Control"] = "no-store"
        return response


@api.route("/banners/<uuid:banner_id>/image")
class BannerImage(MethodView):
    required_scope = {"PUT": _WRITE, "DELETE": _WRITE}

    @api.documented(
        "Show an uploaded picture",
        {200: schemas.BannerOutput},
        *(403, 404, 412, 413, 415, 428, 503),
        parameters=[etags.IF_MATCH],
        description="JPEG, PNG or WebP of up to 8 MiB and 25 million pixels.",
        requestBody={"required": True, "content": {"multipart/form-data": {"schema": schemas.ImageUpload}}},
        operationId="banners_set_image",
    )
    @etags.needs_if_match
    def put(self, banner_id: UUID, expected: Expected) -> Response:
        bodies.read_query(request)
        data, members = bodies.read_upload(schemas.ImageInput())
        banner = operations.set_image(
            banner_id=banner_id, expected=expected, actor=access.subject(), now=_now(), data=data, **members
        )
        return _written(banner)

    @api.documented(
        "Show no picture any more",
        {200: schemas.BannerOutput},
        *(403, 404, 412, 428),
        parameters=[etags.IF_MATCH],
        operationId="banners_remove_image",
    )
    @etags.needs_if_match
    def delete(self, banner_id: UUID, expected: Expected) -> Response:
        bodies.read_query(request)
        banner = operations.remove_image(
            banner_id=banner_id, expected=expected, actor=access.subject(), now=_now()
        )
        return _written(banner)


@media.route("/<sha256>/<name>")
def rendition(sha256: str, name: str) -> Response:
    place = f"{sha256}/{name}"
    path = Path(current_app.config["MEDIA"], place)
    if not _RENDITION.fullmatch(place) or not path.is_file():
        raise NotFound
    tag = f'"{sha256}-{name}"'
    known = is_known(request.headers.get("If-None-Match", ""), tag)
    response = Response(status=304) if known else Response(path.read_bytes())
    response.mimetype = _MEDIA_TYPES[path.suffix]
    response.headers |= {"ETag": tag, "Cache-Control": _FOREVER}
    return response


# What everybody may see by a name that nobody can guess; whose token comes along does not matter.
rendition.reads_token = False  # type: ignore[attr-defined]


def _now() -> datetime:
    return datetime.now(UTC)


def _placement(query: dict[str, Any]) -> Placement | None:
    if "placement" not in query:
        return None
    placement = queries.get_placement(query["placement"])
    if placement is None:
        raise InvalidParameter("placement", "There is no such placement.")
    return placement


def _page(banners: Any, query: dict[str, Any], placement: Placement | None) -> Page:
    if "ids" in query and not {"limit", "cursor"} & request.args.keys():
        return Page(list(db.session.scalars(banners.order_by(*(part.order for part in queries.ORDER)))), None)
    default = {"default_limit": placement.max_items} if placement else {}
    return paginate(db.session(), banners, key=queries.ORDER, **default)


def _rows(banners: Any, now: datetime) -> list[queries.BannerRow]:
    return [queries.row_of(banner, now) for banner in banners]


def _cache_control(seconds: float | None) -> str:
    # Nothing is served stale: an answer must not outlive the next start or end.
    kept = PUBLIC_SECONDS if seconds is None else min(PUBLIC_SECONDS, int(seconds))
    return f"public, max-age={kept}"


def _written(banner: Banner, status: int = 200, location: str = "") -> Response:
    row = schemas.BannerOutput().dump(queries.row_of(banner, _now()))
    return etags.written(row, version=banner.version, status=status, location=location)
