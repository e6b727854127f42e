"""Reads requests, strictly: JSON objects, merge patches, query parameters, and images in a form."""

from typing import Any, Final, NoReturn

from flask import Request, request
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import FileStorage

from chassis import lists
from chassis.flask.problems import Coded, MalformedBody, RepeatedField, UnsupportedBody
from chassis.images import MAX_BYTES
from chassis.strict_json import parse_object

MAX_BODY: Final = 1024 * 1024
MAX_UPLOAD: Final = MAX_BYTES + 64 * 1024
MERGE_PATCH: Final = "application/merge-patch+json"
"""RFC 7396 by its own name; application/json means the same where an endpoint takes it."""

_JSON_TYPES: Final = ("application/json", MERGE_PATCH)


class StrictParser(FlaskParser):
    """How flask-smorest's `arguments` read: JSON once and strictly, and no parameter unknown or twice."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": "exclude"}

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The body as one JSON object of at most MAX_BODY bytes.

        Raises: UnsupportedBody, MalformedBody, RequestEntityTooLarge.
        """
        return read_json(req)

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """The query as a plain dict.

        Raises: UnknownParameter.
        """
        return read_query(req, schema.fields.keys() | getattr(schema, "also", frozenset()))

    def handle_error(
        self,
        error: ValidationError,
        req: Request,
        schema: Schema,
        *,
        error_status_code: int | None,
        error_headers: Any,
    ) -> NoReturn:
        """Point at what is wrong: a parameter by its name, a member of the body by its pointer."""
        location, messages = next(iter(error.messages_dict.items()))
        if location == "query":
            name, details = next(iter(messages.items()))
            raise lists.InvalidParameter(name, str(details[0]))
        raise ValidationError(messages)


def read_json(req: Request) -> dict[str, Any]:
    """The body as one JSON object; no body at all is an empty one.

    Raises: UnsupportedBody, MalformedBody, RequestEntityTooLarge.
    """
    body = req.get_data()
    if not body:
        return {}
    if req.mimetype not in _JSON_TYPES:
        raise UnsupportedBody(req.mimetype)
    try:
        return parse_object(body)
    except ValueError as exc:
        raise MalformedBody from exc


def read_query(req: Request, known: set[str] | frozenset[str] = frozenset()) -> dict[str, str]:
    """The query as a plain dict.

    Raises: UnknownParameter.
    """
    lists.check_parameters(req.args.lists(), known)
    return req.args.to_dict()


def read_upload(schema: Schema) -> tuple[bytes, dict[str, Any]]:
    """The bytes of the member `file` of a form, and the other members as the schema reads them.

    What is announced to be larger than any image may be is not read at all.
    Raises: UnsupportedBody, RequestEntityTooLarge, RepeatedField, ValidationError.
    """
    if request.mimetype != "multipart/form-data":
        raise UnsupportedBody(request.mimetype)
    request.max_content_length = MAX_UPLOAD
    try:
        form = _form()
        file = form.pop("file", None)
        data = file.read() if isinstance(file, FileStorage) else None
    finally:
        # Closes the temporary files that hold what is large.
        request.close()
    errors: dict[str, Any] = (
        {} if data is not None else {"file": [Coded("required", "No file was submitted.")]}
    )
    errors |= schema.validate(form)
    if errors or data is None:
        raise ValidationError(errors)
    return data, schema.load(form)


def _form() -> dict[str, Any]:
    # Texts and files alike, for a name must not stand among both either.
    members = [*request.form.items(multi=True), *request.files.items(multi=True)]
    form: dict[str, Any] = dict(members)
    if len(form) < len(members):
        raise RepeatedField
    return form
