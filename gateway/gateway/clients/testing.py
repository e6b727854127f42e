"""A small shop of stand-ins: five services on real sockets, which answer, hang, talk nonsense or are gone."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from gateway.clients import services

SERVICES: Final = ("wallet", "catalog_category", "catalog_product", "catalog_variant", "banner")
PUBLIC: Final = "public, max-age=30, stale-while-revalidate=300"
NOWHERE: Final = "http://127.0.0.1:9"

CLOTHING: Final = "01a20000-0000-7000-8000-000000000001"
HOODIES: Final = "01a20000-0000-7000-8000-000000000002"
HOODIE: Final = "01a20000-0000-7000-8000-000000000011"
MUG: Final = "01a20000-0000-7000-8000-000000000012"
ENTRY: Final = "01a20000-0000-7000-8000-000000000021"


class Played:
    """One service. mode is fine, hang, garbage, wrong (JSON of another shape) or broken (500)."""

    def __init__(self) -> None:
        self.mode = "fine"
        self.answers: dict[str, tuple[int, Any, dict[str, str]]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.released = threading.Event()
        self.url = ""
        self.movements = 1

    def answer(self, path: str, document: Any, status: int = 200, **headers: str) -> None:
        """What is at a path from now on; headers by name, with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = (status, document, named)

    def paths(self) -> list[str]:
        """What was asked for so far."""
        return [path for path, _ in self.asked]

    def find(self, target: str) -> tuple[int, Any, dict[str, str]]:
        """The answer of a target: that of its path with query, else that of its path."""
        known = self.answers.get(target) or self.answers.get(urlsplit(target).path)
        return known or (404, {"code": "not-found"}, {})


class Shop:
    """All five, with a few goods in them."""

    def __init__(self, settings: Any, services: dict[str, Played]) -> None:
        self._settings = settings
        self._services = services
        settings.UPSTREAMS = {name: service.url for name, service in services.items()}
        stock(self)

    def __getitem__(self, name: str) -> Played:
        return self._services[name]

    def kill(self, name: str) -> None:
        """Nobody listens any more at the address of that service."""
        self._settings.UPSTREAMS = self._settings.UPSTREAMS | {name: NOWHERE}


@contextmanager
def playing(settings: Any) -> Iterator[Shop]:
    """A shop that pages are made from while this lasts, and nothing of it in memory yet."""
    services._service.cache_clear()
    with ExitStack() as stack:
        yield Shop(settings, {name: stack.enter_context(_listening(Played())) for name in SERVICES})
    services._service.cache_clear()


class _Server(ThreadingHTTPServer):
    request_queue_size = 64
    daemon_threads = True
    block_on_close = False


@contextmanager
def _listening(service: Played) -> Iterator[Played]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            service.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            if service.mode == "hang":
                service.released.wait(30)
                return
            status, body, headers = _reply(service, self.path, self.headers.get("If-None-Match", ""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Keeps quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        service.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _reply(service: Played, target: str, tag: str) -> tuple[int, bytes, dict[str, str]]:
    if service.mode == "garbage":
        return 200, b"<html>not what you think", {"Cache-Control": PUBLIC}
    if service.mode == "wrong":
        return 200, b'{"data": [{"id": 7}], "next_cursor": null}', {"Cache-Control": PUBLIC}
    if service.mode == "broken":
        return 500, b'{"code": "internal-error"}', {}
    status, document, headers = service.find(target)
    if tag and headers.get("ETag") == tag:
        return 304, b"", headers
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return status, body, headers


def stock(shop: Shop) -> None:
    """Two categories, two products, some banners, and a wallet with one movement in it."""
    for service in (shop[name] for name in SERVICES):
        service.answer("/readyz", {"status": "ok"})
    _stock_categories(shop["catalog_category"])
    _stock_products(shop["catalog_product"])
    _stock_variants(shop["catalog_variant"])
    shop["banner"].answer("/api/v1/banners", {"data": [banner()], "next_cursor": None}, Cache_Control=PUBLIC)
    _stock_wallet(shop["wallet"])


def picture(colour: str = "ocean", alt: str = "A hoodie") -> dict[str, Any]:
    """A picture as the product service tells of it."""
    return {
        "alt": alt,
        "options": {"colour": colour},
        "width": 1040,
        "height": 1300,
        "color": "#9cb3c5",
        "renditions": [
            {
                "url": f"/media/products/{colour}/{width}.webp",
                "width": width,
                "height": width,
                "type": "image/webp",
            }
            for width in (160, 640)
        ],
        "jpeg": f"/media/products/{colour}/1280.jpg",
    }


def product(**fields: Any) -> dict[str, Any]:
    """A product as the product service tells of it."""
    pictures = [picture(), picture("charcoal")]
    return {
        "id": HOODIE,
        "title": "Tideline Hoodie",
        "slug": "tideline-hoodie",
        "subtitle": "Looks worn in",
        "brand": {"id": CLOTHING, "name": "Tamberley", "slug": "tamberley"},
        "categories": [HOODIES],
        "primary_category": HOODIES,
        "image": pictures[0],
        "description": "First part.\n\nSecond part.",
        "details": [{"label": "Material", "value": "Cotton"}],
        "media": pictures,
    } | fields


def variant(sku: str, colour: str, size: str, state: str = "in_stock", **fields: Any) -> dict[str, Any]:
    """A variant as the picker matrix tells of it."""
    return {
        "sku": sku,
        "options": {"colour": colour, "size": size},
        "price": {"amount_minor": 8450, "currency": "EUR"},
        "compare_at": None,
        "availability": {"state": state, "left": 3 if state == "low" else None},
    } | fields


def options() -> list[dict[str, Any]]:
    """The options of the hoodie."""
    colours = [("charcoal", "Charcoal", "#45474c"), ("ocean", "Ocean", "#3b6e93")]
    sizes = [("s", "S", ""), ("m", "M", ""), ("l", "L", "")]
    return [
        {"code": code, "name": name, "display": display, "values": [_value(*each) for each in values]}
        for code, name, display, values in (
            ("colour", "Colour", "swatch", colours),
            ("size", "Size", "pill", sizes),
        )
    ]


def banner(**fields: Any) -> dict[str, Any]:
    """A banner as the banner service tells of it."""
    return {
        "id": CLOTHING,
        "title": "Dressed for the cold",
        "subtitle": "Wool and fleece",
        "cta_text": "See the jackets",
        "href": "/c/clothing/",
        "theme": "light",
        "background": "#e5d1b6",
        "foreground": "#271d0e",
        "image": None,
    } | fields


def _value(code: str, name: str, swatch: str) -> dict[str, str]:
    return {"code": code, "name": name, "swatch": swatch}


def _stock_categories(service: Played) -> None:
    hoodies = {"id": HOODIES, "name": "Hoodies", "slug": "hoodies", "path": "clothing/hoodies"}
    clothing = {"id": CLOTHING, "name": "Clothing", "slug": "clothing", "path": "clothing"}
    tree: list[dict[str, Any]] = [clothing | {"children": [hoodies | {"children": []}]}]
    around = {
        "description": "Made to be worn.",
        "breadcrumb": [clothing],
        "children": [hoodies],
        "siblings": [],
    }
    moved = "/api/v1/categories?path=clothing"
    service.answer("/api/v1/categories/tree", {"data": tree}, Cache_Control=PUBLIC, ETag='"tree"')
    service.answer("/api/v1/categories?path=clothing", clothing | around, Cache_Control=PUBLIC, ETag='"c"')
    service.answer("/api/v1/categories?path=clothes", b"", 301, Location=moved)


def _stock_products(service: Played) -> None:
    path, rows = "/api/v1/products", [product(), product(id=MUG, slug="morning-mug", title="Morning Mug")]
    service.answer(path, {"data": rows, "next_cursor": None}, Cache_Control=PUBLIC, ETag='"list"')
    service.answer(f"{path}?slug=tideline-hoodie", product(), Cache_Control=PUBLIC, ETag='"hoodie"')
    service.answer(f"{path}?slug=old-hoodie", b"", 301, Location=f"{path}?slug=tideline-hoodie")
    service.answer(f"{path}?slug=nope", {"code": "not-found"}, 404)
    service.answer(f"{path}?status=draft&limit=100", {"data": rows, "next_cursor": None})


def _stock_variants(service: Played) -> None:
    variants = [
        variant("OCEAN-S", "ocean", "s"),
        variant("OCEAN-M", "ocean", "m", "low"),
        variant("CHARCOAL-M", "charcoal", "m", "sold_out"),
        variant("CHARCOAL-L", "charcoal", "l", price={"amount_minor": 8950, "currency": "EUR"}),
    ]
    summary = {
        "product": HOODIE,
        "variants": 4,
        "currency": "EUR",
        "price_min_minor": 8450,
        "price_max_minor": 8950,
        "compare_at_min_minor": None,
        "in_stock": True,
        "options": options(),
    }
    matrix = {"product": HOODIE, "options": options(), "variants": variants}
    service.answer("/api/v1/variants/matrix", matrix, Cache_Control=PUBLIC, ETag='"matrix"')
    service.answer("/api/v1/variants/summary", {"data": [summary]}, Cache_Control=PUBLIC, ETag='"sum"')
    service.answer("/api/v1/stock/low", {"data": [{}, {}], "next_cursor": None})


def _stock_wallet(service: Played) -> None:
    entry = {
        "id": ENTRY,
        "kind": "adjustment",
        "amount_minor": -2500,
        "currency": "EUR",
        "balance_after_minor": 50000,
        "reason": "Gift card corrected",
        "reference": "",
        "created_at": "2026-11-23T09:54:20.763596Z",
    }
    balances = [{"currency": "EUR", "balance_minor": 50000, "held_minor": 1000, "available_minor": 49000}]
    service.answer("/api/v1/wallet", {"balances": balances})
    service.answer("/api/v1/wallet/integrity", {"is_balanced": True})
    service.answer(f"/api/v1/wallet/transactions/{ENTRY}", entry)
    _answer_statements(service, entry)


def _answer_statements(service: Played, entry: dict[str, Any]) -> None:
    find = service.find

    def found(target: str) -> tuple[int, Any, dict[str, str]]:
        parts = urlsplit(target)
        if not parts.path.startswith("/api/v1/wallet/statements/"):
            return find(target)
        if parse_qs(parts.query).get("format") == ["csv"]:
            return 200, b"created_at,id\r\n", {"Content-Type": "text/csv"}
        start = f"{parts.path[-7:]}-01T00:00:00Z"
        currency = parse_qs(parts.query).get("currency", ["EUR"])[0]
        totals = {"opening_minor": 52500, "credited_minor": 0, "debited_minor": -2500, "closing_minor": 50000}
        moved = [entry | {"currency": currency}] * service.movements
        span = {"currency": currency, "start_at": start, "end_at": start, "transactions": moved}
        return 200, span | totals, {}

    service.find = found  # type: ignore[method-assign]
