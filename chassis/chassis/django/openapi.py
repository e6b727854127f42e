"""How problem documents appear in the OpenAPI document of a service."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from chassis.problems import CATALOGUE, MEDIA_TYPE, code_for_status

NOT_MODIFIED: Final = "What `If-None-Match` names is still what there is."
_Method = TypeVar("_Method", bound=Callable[..., Any])
PAGE: Final = [
    OpenApiParameter("limit", int, description="Rows in a page, 1 to 100; 20 when absent."),
    OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
]


class FieldErrorOutput(serializers.Serializer[Any]):
    pointer = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemOutput(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField(required=False)
    request_id = serializers.CharField()
    errors = FieldErrorOutput(many=True, required=False)  # type: ignore[assignment]


def add_not_modified(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: whatever takes If-None-Match may answer 304."""
    for operation in (each for path in result["paths"].values() for each in path.values()):
        if any(parameter["name"] == "If-None-Match" for parameter in operation.get("parameters", ())):
            responses = operation["responses"] | {"304": {"description": NOT_MODIFIED}}
            operation["responses"] = dict(sorted(responses.items()))
    return result


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The responses of these statuses for extend_schema, in ascending order."""
    return {
        (status, MEDIA_TYPE): OpenApiResponse(
            ProblemOutput, description=CATALOGUE[code_for_status(status)][1]
        )
        for status in sorted(set(statuses))
    }


def documented(
    summary: str, success: dict[Any, Any], *errors: int, **extra: Any
) -> Callable[[_Method], _Method]:
    """Describes a method of a view: what it answers, and the problems it may give besides 400 and 401."""
    return extend_schema(summary=summary, responses=success | problems(400, 401, *errors), **extra)
