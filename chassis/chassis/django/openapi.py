"""How problem documents appear in the OpenAPI document of a service."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from chassis.problems import CATALOGUE, MEDIA_TYPE, code_for_status


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


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The responses of these statuses for extend_schema, in ascending order."""
    return {
        (status, MEDIA_TYPE): OpenApiResponse(
            ProblemOutput, description=CATALOGUE[code_for_status(status)][1]
        )
        for status in sorted(set(statuses))
    }
