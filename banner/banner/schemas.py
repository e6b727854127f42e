"""The wire format of banners: what comes in, checked for shape, and what goes out."""

from typing import Any

from marshmallow import Schema, fields, pre_load

from banner.models import AUDIENCES, COLOR_FORM, LOCALE_FORM, REF_FORMS, STATUSES, THEMES
from banner.queries import STATES
from chassis.flask.fields import (
    Choice,
    Ids,
    Moment,
    Part,
    Pattern,
    PublicId,
    Several,
    StrictInput,
    Text,
    WholeNumber,
)

_LANGUAGE = "A language like `de` or `de-AT`; empty for all."
_EMPTY = {"subtitle": "", "cta_text": "", "locale": "", "categories": []}


def _color(**kwargs: Any) -> Pattern:
    return Pattern(COLOR_FORM, "A color like #1a2b3c, in lower case.", **kwargs)


class TargetPatch(StrictInput):
    kind = Choice(REF_FORMS)
    ref = Text(2000)


class TargetInput(StrictInput):
    kind = Choice(REF_FORMS, required=True)
    ref = Text(2000, required=True, metadata={"description": "A slug, a path of slugs, words, or a URL."})


class BannerPatch(StrictInput):
    """A merge patch (RFC 7396). Null takes a text, a time or the categories away; the rest must be there."""

    placement = Text(40)
    title = Text(120)
    subtitle = Text(240, allow_blank=True)
    cta_text = Text(40, allow_blank=True)
    target = Part(TargetPatch)
    theme = Choice(THEMES)
    background = _color()
    foreground = _color()
    starts_at = Moment(allow_none=True)
    ends_at = Moment(allow_none=True, metadata={"description": "Exclusive."})
    priority = WholeNumber(0, 100)
    status = Choice(STATUSES)
    audience = Choice(AUDIENCES)
    categories = Several(PublicId(), 100, metadata={"description": "Empty for all."})
    locale = Pattern(LOCALE_FORM, _LANGUAGE, metadata={"description": _LANGUAGE})

    @pre_load
    def _take_away(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {name: _EMPTY.get(name) if value is None else value for name, value in data.items()}


class BannerInput(BannerPatch):
    """A new banner."""

    placement = Text(40, required=True)
    title = Text(120, required=True)
    target = Part(TargetInput, required=True)


class ImageInput(StrictInput):
    alt = Text(300, required=True)


class ImageUpload(ImageInput):
    """The form of an upload, for the document alone."""

    file = fields.Raw(required=True, metadata={"type": "string", "format": "binary"})


class ListQuery(StrictInput):
    also = frozenset({"limit", "cursor"})

    placement = Text(
        40, metadata={"description": "Code of a placement. Its `max_items` is the default limit."}
    )
    audience = Choice(AUDIENCES[1:], metadata={"description": "What suits a guest, or a customer."})
    category = PublicId(metadata={"description": "What suits this category."})
    locale = Pattern(LOCALE_FORM, _LANGUAGE, metadata={"description": "What suits this language."})
    state = Choice(STATES, metadata={"description": "Needs `banner:read`."})
    ids = Ids(metadata={"description": "Up to 100 ids with commas between them."})


class PreviewQuery(StrictInput):
    placement = Text(40, required=True)
    at = Moment(metadata={"description": "Now when absent."})


class RenditionOutput(Schema):
    url = fields.String(required=True)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    type = fields.String(required=True)


class ImageOutput(Schema):
    alt = fields.String(required=True)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    color = fields.String(required=True)
    renditions = fields.List(fields.Nested(RenditionOutput), required=True)
    jpeg = fields.String(required=True)


class TargetOutput(Schema):
    kind = Choice(REF_FORMS, required=True)
    ref = fields.String(required=True)


class BannerOutput(Schema):
    id = fields.UUID(required=True)
    placement = fields.String(required=True)
    title = fields.String(required=True)
    subtitle = fields.String(required=True)
    cta_text = fields.String(required=True)
    target = fields.Nested(TargetOutput, required=True)
    href = fields.String(required=True, metadata={"description": "A path of the shop, or an https URL."})
    theme = Choice(THEMES, required=True)
    background = fields.String(required=True)
    foreground = fields.String(required=True)
    image = fields.Nested(ImageOutput, required=True, allow_none=True)
    starts_at = Moment(required=True, allow_none=True)
    ends_at = Moment(required=True, allow_none=True)
    priority = fields.Integer(required=True)
    status = Choice(STATUSES, required=True)
    state = Choice(STATES, required=True)
    audience = Choice(AUDIENCES, required=True)
    categories = fields.List(fields.UUID(), required=True)
    locale = fields.String(required=True)
    version = fields.Integer(required=True)
    created_at = Moment(required=True)
    updated_at = Moment(required=True)


class BannerList(Schema):
    data = fields.List(fields.Nested(BannerOutput), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class BannerPreview(Schema):
    data = fields.List(fields.Nested(BannerOutput), required=True)


class PlacementOutput(Schema):
    code = fields.String(required=True)
    name = fields.String(required=True)
    max_items = fields.Integer(
        required=True, metadata={"description": "The limit of its list of banners when none is given."}
    )


class PlacementList(Schema):
    data = fields.List(fields.Nested(PlacementOutput), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
