"""The shop's pages: who asks, for what, and which template shows it."""

from typing import Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from gateway.clients import calls, wallets
from gateway.errors import as_unavailable, unavailable
from gateway.storefront.pages import catalogue, page, show, wanted_part
from gateway.storefront.queries.home import category_url, home_page
from gateway.storefront.queries.listings import categories_page, category_page, search_page
from gateway.storefront.queries.product import Asked, product_page
from gateway.storefront.queries.status import status_page
from gateway.storefront.queries.styleguide import styleguide as styleguide_page
from gateway.storefront.queries.wallet import currency_of, month_of, transaction_page, wallet_page
from gateway.storefront.shell import THEME_COOKIE, THEMES, audience_of
from gateway.tokens.browser import token_for_request
from gateway.tokens.forwarding import NothingForAudience

_YEAR_SECONDS: Final = 365 * 24 * 3600
_RESULTS: Final = {"results": "storefront/_results.html"}
_PRODUCT: Final = {"product": "storefront/_product.html"}
_SERVICES: Final = {"services": "storefront/_services.html"}
_OF_PICKER: Final = frozenset({"variant", "was"})


@catalogue
def home(request: HttpRequest) -> HttpResponse:
    return show(request, "storefront/home.html", home_page(audience_of(request)))


@catalogue
def categories(request: HttpRequest) -> HttpResponse:
    content = categories_page()
    response = show(request, "storefront/categories.html", content)
    return as_unavailable(response) if content.is_down else response


@catalogue
def category(request: HttpRequest, path: str) -> HttpResponse:
    sort, cursor = request.GET.get("sort", ""), request.GET.get("cursor", "")
    try:
        content = category_page(path, sort=sort, cursor=cursor, audience=audience_of(request))
    except calls.Moved as exc:
        return _moved(request, category_url(_parameter(exc.location, "path")))
    except calls.Refused:
        return _first_page(request)
    response = show(request, "storefront/category.html", content, parts=_RESULTS)
    return as_unavailable(response) if content.listing.is_down else response


@page
def category_without_slash(request: HttpRequest, path: str) -> HttpResponse:
    return _moved(request, category_url(path))


@catalogue
def search(request: HttpRequest) -> HttpResponse:
    q, sort, cursor = (request.GET.get(name, "") for name in ("q", "sort", "cursor"))
    try:
        content = search_page(q, sort=sort, cursor=cursor)
    except calls.Refused:
        return _first_page(request)
    response = show(request, "storefront/search.html", content, parts=_RESULTS)
    return as_unavailable(response) if content.listing.is_down else response


@catalogue
def product(request: HttpRequest, slug: str) -> HttpResponse:
    values = {name: str(value) for name, value in request.GET.items() if name not in _OF_PICKER}
    sku, was = (request.GET.get(name, "") for name in ("variant", "was"))
    try:
        content = product_page(slug, Asked(sku, values, was))
    except calls.Moved as exc:
        return _moved(request, reverse("product", args=[_parameter(exc.location, "slug")]))
    response = show(request, "storefront/product.html", content, parts=_PRODUCT)
    if wanted_part(request):
        response.headers["HX-Push-Url"] = content.here
    return response


@page
@login_required
def wallet(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    try:
        token = token_for_request(request, "wallet")
        month = month_of(request.GET.get("month", ""), now=now)
        content = wallet_page(token, month, request.GET.get("currency", ""), now=now)
    except NothingForAudience:
        return _no_wallet(request)
    except calls.Refused as exc:
        return _no_wallet(request) if exc.status == 403 else unavailable(request)
    return show(request, "storefront/wallet.html", content)


@page
@login_required
def statement_csv(request: HttpRequest) -> HttpResponse:
    month = month_of(request.GET.get("month", ""), now=timezone.now())
    currency = currency_of(request.GET.get("currency", ""))
    try:
        token = token_for_request(request, "wallet")
        body = calls.begin(wallets.statement_csv, token, month, currency or None).get()
    except NothingForAudience:
        return redirect("wallet")
    name = "-".join(part for part in ("statement", month, currency) if part)
    disposition = f'attachment; filename="{name}.csv"'
    return HttpResponse(
        body, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition}
    )


@page
@login_required
def transaction(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    try:
        token = token_for_request(request, "wallet")
        content = transaction_page(token, transaction_id)
    except NothingForAudience:
        return redirect("wallet")
    return show(request, "storefront/transaction.html", content)


@page
def status(request: HttpRequest) -> HttpResponse:
    response = show(request, "storefront/status.html", status_page(now=timezone.now()), parts=_SERVICES)
    response.headers["Cache-Control"] = "no-store"
    return response


@catalogue
def styleguide(request: HttpRequest) -> HttpResponse:
    return show(request, "storefront/styleguide.html", styleguide_page())


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in ("/account", "/admin/", "/search", "/staff", "/wallet")),
    ]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    # Pages name their icon; this is for admins and whoever asks before reading any.
    return redirect(static("gateway/favicon.svg"))


# A theme is nothing to protect, and a token in this form, which stands on every page, would make each copy
# of a page another one. What other sites send is refused by gateway.middleware.Pages.
@csrf_exempt
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    chosen, back = request.POST.get("theme", ""), request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
    response = HttpResponseRedirect(back if is_ours else reverse("home"), status=303)
    if chosen in THEMES:
        secure = settings.SESSION_COOKIE_SECURE
        response.set_cookie(
            THEME_COOKIE, chosen, max_age=_YEAR_SECONDS, secure=secure, httponly=True, samesite="Lax"
        )
    return response


def _no_wallet(request: HttpRequest) -> HttpResponse:
    return show(request, "storefront/no_wallet.html", None)


def _moved(request: HttpRequest, url: str) -> HttpResponse:
    query = request.GET.urlencode()
    return HttpResponsePermanentRedirect(f"{url}?{query}" if query else url)


def _first_page(request: HttpRequest) -> HttpResponse:
    # The link was kept longer than what it points into: begin anew rather than refuse a shopper.
    query = request.GET.copy()
    if "cursor" not in query:
        return unavailable(request)
    del query["cursor"]
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")


def _parameter(location: str, name: str) -> str:
    values = parse_qs(urlsplit(location).query).get(name)
    if not values:
        raise calls.Away("A service moved something to nowhere.")
    return values[0]
