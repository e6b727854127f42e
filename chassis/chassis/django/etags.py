"""ETag, If-None-Match and If-Match (RFC 9110 sections 8.8.3 and 13.1): cheap repeats, and no lost update.

A resource is tagged `"<version of its row>-<digest of the answer>"`, a list `"<digest of the answer>"`. The
digest makes the tag strong: what an answer shows beside the row (a breadcrumb, say) changes it as well. For
a write only the version counts, so `"<version>"`, which answers to writes carry, is as good.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from chassis.problems import DomainError

IF_MATCH: Final = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="The `ETag` of what is changed."
)
IF_NONE_MATCH: Final = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The `ETag` of what is already known: 304."
)
_VERSIONED: Final = re.compile(r'"([0-9]{1,18})(?:-[0-9a-f]{32})?"')


class PreconditionRequired(DomainError):
    """A write without If-Match could undo somebody else's (RFC 6585 section 3)."""

    code = "precondition-required"
    status = 428


class PreconditionFailed(DomainError):
    """The row is no longer the one that the caller saw; the ETag of the answer is the current one."""

    code = "precondition-failed"
    status = 412

    def __init__(self, version: int) -> None:
        super().__init__("Read the resource again and repeat the change.")
        self.headers = {"ETag": etag(version)}


@dataclass(frozen=True, slots=True)
class Expected:
    """The versions that a caller takes a row to have; None stands for any."""

    versions: frozenset[int] | None

    def check(self, version: int) -> None:
        """Compare with the version of the row, which the caller has locked.

        Raises: PreconditionFailed.
        """
        if self.versions is not None and version not in self.versions:
            raise PreconditionFailed(version)


ANY: Final = Expected(None)
"""What a caller expects who does not mind (`If-Match: *`)."""


def etag(version: int) -> str:
    """The tag of a row for the answer to a write."""
    return f'"{version}"'


def expected(request: Request) -> Expected:
    """What If-Match expects. A weak tag never matches (RFC 9110 section 8.8.3.2), nor does a tag of a list.

    Raises: PreconditionRequired.
    """
    tags = _tags(request, "If-Match")
    if not tags:
        raise PreconditionRequired("Send the ETag of the resource in If-Match.")
    if tags == ["*"]:
        return ANY
    matches = [_VERSIONED.fullmatch(tag) for tag in tags]
    return Expected(frozenset(int(match[1]) for match in matches if match))


def answer(
    request: Request, data: Any, *, version: int | None = None, cache_control: str = ""
) -> HttpResponse:
    """Data as JSON with its ETag, or 304 without a body when If-None-Match names it.

    version is that of the row when the data show one. cache_control goes to those who sent no token; the
    answer says that a token can change it.
    """
    body = JSONRenderer().render(data)
    digest = hashlib.sha256(body).hexdigest()[:32]
    tag = f'"{digest}"' if version is None else f'"{version}-{digest}"'
    response = HttpResponse(status=304) if _is_known(request, tag) else HttpResponse(body)
    response.headers["Content-Type"] = "application/json"
    response.headers["ETag"] = tag
    if cache_control and request.auth is None:
        response.headers["Cache-Control"] = cache_control
    patch_vary_headers(response, ["Authorization"])
    return response


def _is_known(request: Request, tag: str) -> bool:
    tags = _tags(request, "If-None-Match")
    return tags == ["*"] or tag in (known.removeprefix("W/") for known in tags)


def _tags(request: Request, header: str) -> list[str]:
    # Our own tags hold no comma, so a foreign one that does comes out as pieces that match nothing.
    return [tag for tag in map(str.strip, request.headers.get(header, "").split(",")) if tag]
