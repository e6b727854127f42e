"""Query parameters: none that is unknown, none twice, each of the kind it must be."""

from collections.abc import Collection
from typing import Any, cast

from rest_framework.request import Request
from rest_framework.serializers import Serializer

from chassis import lists
from chassis.lists import InvalidParameter, UnknownParameter

__all__ = ["InvalidParameter", "UnknownParameter", "check_parameters", "read_parameters"]


def check_parameters(request: Request, known: Collection[str]) -> None:
    """Refuse a query with a parameter that is not known, or that stands twice.

    Raises: UnknownParameter.
    """
    lists.check_parameters(request.query_params.lists(), known)


def read_parameters(request: Request, form: type[Serializer[Any]], *also: str) -> dict[str, Any]:
    """The query as the form reads it; `also` names parameters that others look at.

    Raises: UnknownParameter, InvalidParameter.
    """
    # A plain dict: with a QueryDict an empty parameter would count as none at all.
    data = form(data=request.query_params.dict())
    check_parameters(request, {*data.fields, *also})
    if not data.is_valid():
        name, details = next(iter(data.errors.items()))
        raise InvalidParameter(name, str(details[0]))
    return cast(dict[str, Any], data.validated_data)
