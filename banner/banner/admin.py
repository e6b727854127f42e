"""Banners for staff. What they save goes through the operations, whose rules hold here as everywhere."""

import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, flash, redirect, request, url_for
from flask_admin import Admin, AdminIndexView, expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.form import SecureForm
from flask_admin.menu import MenuLink
from flask_admin.theme import Bootstrap4Theme
from markupsafe import Markup
from marshmallow import ValidationError
from wtforms import (
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from banner import operations, queries, schemas
from banner.extensions import db
from banner.models import AUDIENCES, REF_FORMS, STATUSES, THEMES, Banner, LogEntry, Placement
from chassis.flask import access
from chassis.flask.problems import field_errors
from chassis.lists import InvalidParameter
from chassis.preconditions import Expected
from chassis.problems import DomainError, FieldError

_TIMES = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]
# Of a list, as Flask-Admin reads them.
_NUMBERS: Final = frozenset({"page", "page_size", "sort", "desc"})
_NUMBER: Final = re.compile("[0-9]{0,9}")
# Where the form shows what is wrong with a member of the API.
_FIELDS = {"#/placement": "placement_code", "#/target/kind": "target_kind", "#/target/ref": "target_ref"}


class BannerForm(SecureForm):  # type: ignore[misc]  # Flask-Admin has no types.
    """A banner, and the version that was seen, so that nothing typed undoes what somebody else changed."""

    placement_code = SelectField("Placement")
    title = StringField()
    subtitle = StringField()
    cta_text = StringField("Text of the button")
    target_kind = SelectField(choices=list(REF_FORMS))
    target_ref = StringField(description="A slug, a path of slugs, words to search for, or an https URL.")
    theme = SelectField(choices=list(THEMES))
    background = StringField(default="#ffffff")
    foreground = StringField(default="#111111")
    starts_at = DateTimeLocalField("Starts at (UTC)", [Optional()], format=_TIMES)
    ends_at = DateTimeLocalField("Ends at (UTC)", [Optional()], format=_TIMES)
    priority = IntegerField(default=50)
    status = SelectField(choices=list(STATUSES))
    audience = SelectField(choices=list(AUDIENCES))
    category_ids = TextAreaField("Categories", description="Ids, one a line; empty for all.")
    locale = StringField(description="Like de or de-AT; empty for all.")
    seen = HiddenField()

    def __init__(self, formdata: Any = None, obj: Banner | None = None, **kwargs: Any) -> None:
        if obj is not None:
            kwargs |= {
                "placement_code": obj.placement.code,
                "category_ids": "\n".join(map(str, obj.categories)),
                "seen": str(obj.version),
            }
        super().__init__(formdata, obj, **kwargs)
        self.placement_code.choices = [(each.code, each.name) for each in queries.placements()]

    def members(self) -> dict[str, Any]:
        """What was typed, as a client of the API would send it."""
        same = ("title", "subtitle", "cta_text", "theme", "background", "foreground", "priority", "status")
        return {
            **{name: self[name].data for name in (*same, "audience", "locale")},
            "placement": self.placement_code.data,
            "target": {"kind": self.target_kind.data, "ref": self.target_ref.data},
            "starts_at": _wire_time(self.starts_at.data),
            "ends_at": _wire_time(self.ends_at.data),
            "categories": (self.category_ids.data or "").split(),
        }

    def show(self, errors: list[FieldError]) -> None:
        """Put what is wrong beside the fields; what belongs to none is said above the form."""
        for error in errors:
            name = _FIELDS.get(error.pointer, error.pointer.removeprefix("#/").split("/")[0])
            name = "category_ids" if name == "categories" else name
            if name in self:
                self[name].errors = [*self[name].errors, error.detail]
            else:
                flash(error.detail, "error")


class StaffOnly:
    """Whoever chassis.flask.access let in; said again where the pages are made. Nothing odd gets to them."""

    def is_accessible(self) -> bool:
        found = access.principal()
        return found is not None and found.is_staff

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        raise access.AuthenticationRequired

    def _handle_view(self, name: str, **kwargs: Any) -> Any:
        _check_query()
        return super()._handle_view(name, **kwargs)  # type: ignore[misc]


class Index(StaffOnly, AdminIndexView):  # type: ignore[misc]
    """The first page, which is the list that everybody comes for."""

    @expose("/")  # type: ignore[untyped-decorator]
    def index(self) -> Any:
        return redirect(url_for("banner.index_view"))


class ReadOnly(StaffOnly, ModelView):  # type: ignore[misc]
    """A table to look at. There is no delete and no action for many: Flask-Admin's need inline scripts."""

    can_create = can_edit = can_delete = False
    action_disallowed_list = ["delete"]
    form_base_class = SecureForm
    page_size = 50


class BannerAdmin(ReadOnly):
    """Banners, archived by their status and deleted through the API alone."""

    can_create = can_edit = True
    form = BannerForm
    column_list = [
        "preview",
        "title",
        "placement.name",
        "status",
        "priority",
        "starts_at",
        "ends_at",
        "locale",
    ]
    column_labels = {
        "placement.name": "Placement",
        "target_ref": "target",
        "starts_at": "Starts",
        "ends_at": "Ends",
    }
    column_sortable_list = ["title", "status", "priority", "starts_at", "ends_at"]
    # Flask-Admin's filters need inline scripts, so the search knows states and places as well.
    column_searchable_list = ["title", "target_ref", "status", "placement.name"]
    column_default_sort = [("priority", True), ("public_id", False)]
    column_select_related_list = [Banner.placement, Banner.image]
    column_formatters = {
        "preview": lambda view, context, banner, name: _preview(banner),
        "starts_at": lambda view, context, banner, name: _moment(banner.starts_at),
        "ends_at": lambda view, context, banner, name: _moment(banner.ends_at),
    }

    def get_one(self, id: Any) -> Any:
        number = _whole(id)
        return None if number is None else db.session.scalar(queries.banners().where(Banner.id == number))

    def create_model(self, form: Any) -> Any:
        def create() -> Banner:
            members = schemas.BannerInput().load(form.members())
            return operations.create_banner(actor=access.subject(), now=datetime.now(UTC), **members)

        return _saved(form, create)

    def update_model(self, form: Any, model: Any) -> bool:
        # Only what was changed in the form, so that an unseen rule about the rest stops nobody.
        shown, typed = BannerForm(obj=model).members(), form.members()
        changed = {name: value for name, value in typed.items() if value != shown[name]}

        def update() -> Banner:
            return operations.update_banner(
                banner_id=model.public_id,
                expected=Expected(frozenset({_whole(form.seen.data) or 0})),
                actor=access.subject(),
                now=datetime.now(UTC),
                changes=schemas.BannerPatch().load(changed),
            )

        return _saved(form, update) is not None


class LogAdmin(ReadOnly):
    """Who changed what."""

    column_list = ["created_at", "subject", "action", "banner", "members"]
    column_default_sort = ("id", True)
    column_searchable_list = ["subject"]
    column_formatters = {"created_at": lambda view, context, entry, name: _moment(entry.created_at)}


class PlacementAdmin(ReadOnly):
    """The places, which come with migrations."""

    column_list = ["code", "name", "max_items"]


def init_app(app: Flask) -> None:
    """Put Flask-Admin below ADMIN_PATH, its static files included. Who may come there says chassis.flask."""
    path = app.config["ADMIN_PATH"].rstrip("/")
    index = Index(name="Home", url=path)
    theme = Bootstrap4Theme(fluid=True)
    admin = Admin(app, name="Banners · Mercato", url=path, index_view=index, theme=theme)
    admin.add_view(BannerAdmin(Banner, db, name="Banners", endpoint="banner"))
    admin.add_view(PlacementAdmin(Placement, db, name="Placements", endpoint="placement"))
    admin.add_view(LogAdmin(LogEntry, db, name="Log", endpoint="log"))
    for name, place in (("All admins", "/staff"), ("Shop", "/"), ("Log out", access.LOG_OUT)):
        admin.add_link(MenuLink(name, place))


def _check_query() -> None:
    # Flask-Admin answers with a server error to what none of its own links holds.
    for name, value in request.args.items(multi=True):
        if "\0" in value or (name in _NUMBERS and not _NUMBER.fullmatch(value)):
            raise InvalidParameter(name, "It cannot have this value.")
    try:
        urlsplit(request.values.get("url", ""))
    except ValueError as exc:
        raise InvalidParameter("url", "This is no URL.") from exc


def _whole(text: Any) -> int | None:
    return int(text) if re.fullmatch("[0-9]{1,18}", str(text)) else None


def _saved(form: BannerForm, save: Any) -> Any:
    # What was typed stays; Flask-Admin shows the form again when nothing comes back.
    try:
        return save()
    except ValidationError as exc:
        form.show(list(field_errors(exc.messages)))
    except DomainError as exc:
        title = exc.document("")["title"]
        flash(f"{title}. {exc.detail}".strip(), "error")
        form.show(list(exc.errors))
    return None


def _wire_time(value: datetime | None) -> str | None:
    return None if value is None else f"{value:%Y-%m-%dT%H:%M:%S}Z"


def _moment(value: datetime | None) -> str:
    return "" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _preview(banner: Banner) -> Any:
    if banner.image is None:
        return ""
    row = queries.row_of(banner, datetime.now(UTC))
    source = row.image.renditions[0].url if row.image else ""
    return Markup('<img src="{}" alt="{}" width="160">').format(source, banner.image_alt)
