"""ETag, If-None-Match and If-Match (RFC 9110 sections 8.8.3 and 13.1), whatever the framework.

A resource is tagged `"<version of its row>-<digest of the answer>"`, a list `"<digest of the answer>"`. For a
write only the version counts, so `"<version>"`, which answers to writes carry, is as good.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from chassis.problems import DomainError

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


def etag_of(body: bytes, version: int | None = None) -> str:
    """The tag of an answer; version is that of the row when the answer shows one."""
    digest = hashlib.sha256(body).hexdigest()[:32]
    return f'"{digest}"' if version is None else f'"{version}-{digest}"'


def expected(if_match: str) -> Expected:
    """What If-Match expects. A weak tag never matches (RFC 9110 section 8.8.3.2), nor does a tag of a list.

    Raises: PreconditionRequired.
    """
    tags = _tags(if_match)
    if not tags:
        raise PreconditionRequired("Send the ETag of the resource in If-Match.")
    if tags == ["*"]:
        return ANY
    matches = [_VERSIONED.fullmatch(tag) for tag in tags]
    return Expected(frozenset(int(match[1]) for match in matches if match))


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether If-None-Match names the tag, so that 304 says enough."""
    tags = _tags(if_none_match)
    return tags == ["*"] or tag in (known.removeprefix("W/") for known in tags)


def _tags(value: str) -> list[str]:
    # Our own tags hold no comma, so a foreign one that does comes out as pieces that match nothing.
    return [tag for tag in map(str.strip, value.split(",")) if tag]
