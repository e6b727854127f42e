"""Tells requests of the edge from all others, and guards the pages."""

import re
import secrets
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponseBase

from gateway import errors
from gateway.limits.devices import set_cookie
from gateway.limits.operations import TooManyRequests

_FORWARDED_PREFIX: Final = "HTTP_X_FORWARDED_"
_FORWARDED: Final = (
    *("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP"),
    *("HTTP_X_REQUEST_ID", "HTTP_X_REQUEST_START"),
)
_START: Final = re.compile(r"t=([0-9]{1,12}(?:\.[0-9]{1,9})?)", re.ASCII)
_LONGEST_WAIT: Final = 10.0

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITE: Final = frozenset({"", "same-origin", "none"})


class EdgeKey:
    """The outermost middleware: only with the edge's secret is a forwarded header believed.

    It sets `request.from_edge`, and `request.began`: when the request arrived, on the monotonic clock of
    this process. Whoever lacks the secret finds nothing under /internal/.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        self._key = settings.EDGE_KEY.encode()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        offered = request.META.pop("HTTP_X_EDGE_KEY", "")
        is_edge = secrets.compare_digest(offered.encode(), self._key)
        request.from_edge = is_edge  # type: ignore[attr-defined]
        if is_edge:
            _take_client_address(request)
        else:
            _forget_forwarded_headers(request)
        request.began = time.monotonic() - _waited(request)  # type: ignore[attr-defined]
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        if request.path.startswith("/internal/") and not request.from_edge:  # type: ignore[attr-defined]
            raise Http404


class Pages:
    """What holds for pages and not for the API: their content policy, and that no other site posts to them.

    Cookies say who asks there, so a browser that tells of another site's doing is believed (Fetch Metadata).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(errors.DATA):
            return self._get_response(request)
        response = errors.forbidden(request) if _is_of_another_site(request) else self._get_response(request)
        set_cookie(request, response)
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if isinstance(exception, TooManyRequests):
            return errors.too_many_requests(request, exception)
        # Our own database is away, which is no fault of the page either.
        is_away = isinstance(exception, OperationalError | InterfaceError)
        return errors.unavailable(request) if is_away and not request.path.startswith(errors.DATA) else None


def _is_of_another_site(request: HttpRequest) -> bool:
    site = request.META.get("HTTP_SEC_FETCH_SITE", "")
    return request.method not in _SAFE and site not in _OWN_SITE


def _take_client_address(request: HttpRequest) -> None:
    address = request.META.get("HTTP_X_FORWARDED_FOR", "")
    try:
        request.META["REMOTE_ADDR"] = str(ip_address(address))
    except ValueError:
        return  # The edge's own address stands: nothing better is known.


def _waited(request: HttpRequest) -> float:
    # Seconds since the edge received the request (X-Request-Start, as nginx and others write it): it may
    # have queued for a thread here. Clocks that disagree count as no wait, and never as a long one.
    match = _START.fullmatch(request.META.get("HTTP_X_REQUEST_START", ""))
    waited = time.time() - float(match[1]) if match else 0.0
    return waited if 0.0 < waited < _LONGEST_WAIT else 0.0


def _forget_forwarded_headers(request: HttpRequest) -> None:
    for name in list(request.META):
        if name.startswith(_FORWARDED_PREFIX) or name in _FORWARDED:
            del request.META[name]
