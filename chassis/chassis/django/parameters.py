"""Query parameters: none that is unknown, none twice, each of the kind it must be."""

from collections.abc import Collection
from typing import Any, cast

from rest_framework.request import Request
from rest_framework.serializers import Serializer

from chassis.problems import DomainError, FieldError


class UnknownParameter(DomainError):
    """The query has a parameter that this resource does not know, or has one twice."""

    code = "unknown-parameter"
    status = 400


class InvalidParameter(DomainError):
    """A query parameter has a value that it cannot have."""

    code = "invalid-input"
    status = 400

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(detail, errors=[FieldError(f"?{name}", "invalid", detail)])


def check_parameters(request: Request, known: Collection[str]) -> None:
    """Refuse a query with a parameter that is not known, or that stands twice.

    Raises: UnknownParameter.
    """
    for name, values in request.query_params.lists():
        if name not in known:
            raise UnknownParameter("The query has a parameter that is not known here.")
        if len(values) > 1:
            raise UnknownParameter(f"The parameter {name} stands twice.")


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
