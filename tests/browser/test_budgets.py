"""What a page costs whoever opens it: bytes on the wire, requests, and how much jumps about."""

import gzip
from collections import defaultdict

import pytest

KIBIBYTE = 1024
LISTING = "/c/clothing/"
PRODUCT = "/p/tideline-hoodie"
MOST = {
    "Document": 20 * KIBIBYTE,
    "Stylesheet": 20 * KIBIBYTE,
    "Script": 25 * KIBIBYTE,
}
MOST_OF_A_PRODUCT_PAGE = 350 * KIBIBYTE
MOST_REQUESTS = 20
MOST_SHIFT = 0.01
# Summed up as CLS is, but without sessions: it can only come out larger.
OBSERVE_SHIFTS = """
    window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
    }).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture
def load(visitor):
    """Opens a page with an empty cache: the bytes of each kind of resource as they came, and the requests."""
    wire = visitor.context.new_cdp_session(visitor.page)
    kinds, sizes = {}, defaultdict(int)
    wire.on("Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]}))
    wire.on(
        "Network.loadingFinished",
        lambda event: sizes.update(
            {kinds[event["requestId"]]: sizes[kinds[event["requestId"]]] + event["encodedDataLength"]}
        ),
    )
    wire.send("Network.enable")
    visitor.context.add_init_script(OBSERVE_SHIFTS)

    def open_page(path):
        visitor.visit(path)
        visitor.page.wait_for_load_state("networkidle")
        return dict(sizes), len(kinds)

    return open_page


@pytest.mark.parametrize("path", ["/", LISTING, PRODUCT, "/search?q=hoodie"])
def test_sends_little_html_css_and_javascript(load, path):
    sizes, _ = load(path)

    assert set(MOST) <= set(sizes)
    assert {kind: size for kind, size in sizes.items() if size > MOST.get(kind, size)} == {}


def test_keeps_a_product_page_small(load):
    sizes, requests = load(PRODUCT)

    assert sum(sizes.values()) <= MOST_OF_A_PRODUCT_PAGE
    assert requests <= MOST_REQUESTS


@pytest.mark.parametrize("path", ["/", LISTING, PRODUCT])
def test_lets_nothing_jump_about(load, visitor, path):
    load(path)

    assert visitor.page.evaluate("window.shifted") <= MOST_SHIFT


@pytest.mark.parametrize("path", [LISTING, PRODUCT])
def test_compresses_pages_by_themselves(system, path):
    plain = system.request("GET", path, headers={"Accept": "text/html", "Accept-Encoding": "identity"})
    packed = system.request("GET", path, headers={"Accept": "text/html", "Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(gzip.compress(plain.content)) <= MOST["Document"]


def test_keeps_static_files_for_good(system, visitor):
    visitor.visit("/")
    sheet = visitor.page.locator("link[rel=stylesheet]").first.get_attribute("href")

    response = system.request("GET", sheet, headers={"Accept-Encoding": "br"})

    assert response.headers["Content-Encoding"] == "br"
    assert "immutable" in response.headers["Cache-Control"]
