"""The blueprint whose views are documented as they answer, problems included, and its OpenAPI document."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import yaml
from flask import Flask
from flask_smorest import Api, Blueprint  # type: ignore[import-untyped]
from marshmallow import Schema, fields

from chassis.flask.bodies import StrictParser
from chassis.problems import CATALOGUE, MEDIA_TYPE, code_for_status

NOT_MODIFIED: Final = "What `If-None-Match` names is still what there is."
_View = TypeVar("_View", bound=Callable[..., Any])


class FieldErrorOutput(Schema):
    """One thing wrong with the input."""

    pointer = fields.String(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)


class ProblemOutput(Schema):
    """RFC 9457."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True)
    detail = fields.String()
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(FieldErrorOutput))


class StrictApi(Api):  # type: ignore[misc]  # flask-smorest has no types.
    """flask-smorest without its own answers to errors, which chassis.flask.problems gives."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Leaves them to chassis.flask.problems."""

    def _register_responses(self) -> None:
        """Leaves them to StrictBlueprint.documented."""

    _register_etag_headers = _register_pagination_header = _register_responses


class StrictBlueprint(Blueprint):  # type: ignore[misc]
    """A blueprint of flask-smorest that reads as strictly as the Django services do."""

    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: type[Schema], **options: Any) -> Callable[[_View], _View]:
        """Gives a view what the schema reads, as `arguments` of flask-smorest does."""
        decorate: Callable[[_View], _View] = super().arguments(schema, **options)
        return decorate

    def documented(
        self,
        summary: str,
        success: dict[int, Any],
        *errors: int,
        parameters: Sequence[dict[str, Any]] = (),
        is_public: bool = False,
        **extra: Any,
    ) -> Callable[[_View], _View]:
        """Describes a method of a view: what it answers, and the problems it may give besides 400 and 401."""

        def decorate(view: Any) -> Any:
            for status, schema in success.items():
                view = self.response(status, schema)(view)
            for status in sorted({400, 401, *errors}):
                description = CATALOGUE[code_for_status(status)][1]
                view = self.alt_response(
                    status, schema=ProblemOutput, description=description, content_type=MEDIA_TYPE
                )(view)
            security: list[dict[str, Any]] = [{"bearer": []}, *([{}] if is_public else [])]
            view = self.doc(summary=summary, security=security, **extra)(view)
            # Beside those of `arguments`, which a list given to doc() would replace.
            view._apidoc.setdefault("arguments", {}).setdefault("parameters", []).extend(parameters)
            return view

        return decorate


BEARER: Final = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def new_api(app: Flask, description: str) -> StrictApi:
    """flask-smorest for an application, whose document it keeps but does not serve."""
    # Whoever sends OPTIONS gets what every method gets that an endpoint lacks.
    app.config.update(API_VERSION="1.0.0", OPENAPI_VERSION="3.1.0", PROVIDE_AUTOMATIC_OPTIONS=False)
    api = StrictApi(app, spec_kwargs={"info": {"description": description}})
    api.spec.components.security_scheme("bearer", BEARER)
    return api


def document(api: StrictApi) -> str:
    """The OpenAPI document in YAML, the answers of each operation by status."""
    spec = json.loads(json.dumps(api.spec.to_dict()))
    for operation in (each for path in spec["paths"].values() for each in path.values()):
        if "responses" in operation:
            takes_etag = any(each["name"] == "If-None-Match" for each in operation.get("parameters", ()))
            added = {"304": {"description": NOT_MODIFIED}} if takes_etag else {}
            operation["responses"] = dict(sorted((operation["responses"] | added).items()))
    text: str = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True)
    return text
