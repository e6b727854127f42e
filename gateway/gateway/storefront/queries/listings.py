"""Pages that are lists of products: a category, and what a search finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse

from gateway.clients import banners, calls, categories, products
from gateway.clients.banners import Banner
from gateway.clients.categories import Category, CategoryPage, Node
from gateway.storefront.pages import absolute
from gateway.storefront.queries.cards import Card, cards_of
from gateway.storefront.queries.home import category_url

CATEGORY_SORTS: Final = {"newest": "Newest", "title": "Name, A to Z", "-title": "Name, Z to A"}
SEARCH_SORTS: Final = {"relevance": "Best match", **CATEGORY_SORTS}
CATEGORY_HITS: Final = 6


@dataclass(frozen=True, slots=True)
class Link:
    """A name and where it leads."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several things to choose."""

    value: str
    label: str
    is_current: bool
    url: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of cards; is_down when the product service is away and there is nothing to show instead."""

    cards: tuple[Card, ...]
    next_url: str
    count_text: str
    is_down: bool


@dataclass(frozen=True, slots=True)
class CategoryListing:
    """The page of a category."""

    category: Category
    description: str
    breadcrumb: tuple[Link, ...]
    children: tuple[Link, ...]
    banner: Banner | None
    listing: Listing
    sort: str
    sorts: tuple[Choice, ...]
    canonical: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What a search found; without a q nothing was looked for yet."""

    q: str
    listing: Listing
    sort: str
    sorts: tuple[Choice, ...]
    categories: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class CategoriesPage:
    """All categories."""

    tree: tuple[Node, ...]
    is_down: bool


def categories_page() -> CategoriesPage:
    """The whole tree."""
    try:
        return CategoriesPage(calls.begin(categories.tree).get(), is_down=False)
    except calls.Away:
        return CategoriesPage((), is_down=True)


def category_page(path: str, *, sort: str, cursor: str, audience: str) -> CategoryListing:
    """A category with a page of its products; an unknown sort is the first one.

    Raises: Missing, Moved; Away when nobody knows the category now; Refused when the cursor is not one.
    """
    category = _find(path)
    sort = sort if sort in CATEGORY_SORTS else next(iter(CATEGORY_SORTS))
    found = calls.begin(products.listing, category=category.id, sort=sort, cursor=cursor or None)
    banner = calls.begin(banners.live, "category_top", audience, category.id)
    url = category_url(category.path)
    return CategoryListing(
        category=category.breadcrumb[-1],
        description=category.description,
        breadcrumb=breadcrumb(category.breadcrumb),
        children=tuple(Link(each.name, category_url(each.path)) for each in category.children),
        banner=next(iter(banner.or_else(())), None),
        listing=_listing(found, url, {"sort": sort}, is_first=not cursor),
        sort=sort,
        sorts=_sorts(CATEGORY_SORTS, sort, url, {}),
        canonical=absolute(url),
    )


def search_page(q: str, *, sort: str, cursor: str) -> SearchPage:
    """What is found for words.

    Raises: Refused when the cursor is not one.
    """
    q = " ".join(q.replace("\0", " ").split())[: products.LONGEST_QUERY].strip()
    sort = sort if sort in SEARCH_SORTS else next(iter(SEARCH_SORTS))
    if not q:
        return SearchPage("", Listing((), "", "", is_down=False), sort, (), ())
    found = calls.begin(products.listing, q=q, sort=sort, cursor=cursor or None)
    tree = calls.begin(categories.tree).or_else(())
    url = reverse("search")
    return SearchPage(
        q=q,
        listing=_listing(found, url, {"q": q, "sort": sort}, is_first=not cursor),
        sort=sort,
        sorts=_sorts(SEARCH_SORTS, sort, url, {"q": q}),
        categories=_hits(tree, q),
    )


def breadcrumb(lineage: Sequence[Category | Node]) -> tuple[Link, ...]:
    """From all categories down."""
    top = Link("Categories", reverse("categories"))
    return (top, *(Link(each.name, category_url(each.path)) for each in lineage))


def _find(path: str) -> CategoryPage:
    # The tree, which hangs in every page's header, is the likelier one to be in memory: it stands in.
    try:
        return calls.begin(categories.find, path).get()
    except calls.Away:
        tree = calls.begin(categories.tree).or_else(())
        node = next((each for each in categories.walk(tree) if each.path == path), None)
        if node is None:
            raise
        return _page_of(node, tree)


def _page_of(node: Node, tree: tuple[Node, ...]) -> CategoryPage:
    lineage = tuple(_category(each) for each in categories.lineage(tree, node.id))
    children = tuple(_category(each) for each in node.children)
    return CategoryPage(node.id, node.name, node.path, "", lineage, children, ())


def _category(node: Node) -> Category:
    return Category(node.id, node.name, node.slug, node.path)


def _listing(
    found: calls.Answer[products.ProductList], url: str, query: dict[str, str], *, is_first: bool
) -> Listing:
    try:
        rows = found.get()
    except calls.Away:
        return Listing((), "", "", is_down=True)
    more = f"{url}?{urlencode(query | {'cursor': rows.next_cursor})}" if rows.next_cursor else ""
    cards = cards_of(rows.rows)
    return Listing(cards, more, _count_text(len(cards), is_all=is_first and not more), is_down=False)


def _count_text(number: int, *, is_all: bool) -> str:
    noun = "product" if number == 1 else "products"
    return f"{number} {noun}" if is_all else f"{number} {noun} shown"


def _sorts(labels: dict[str, str], current: str, url: str, query: dict[str, str]) -> tuple[Choice, ...]:
    return tuple(
        Choice(value, label, value == current, f"{url}?{urlencode(query | {'sort': value})}")
        for value, label in labels.items()
    )


def _hits(tree: tuple[Node, ...], q: str) -> tuple[Link, ...]:
    # Both ways, so that "hoodie" finds Hoodies and "blue hoodies" does too.
    wanted = q.casefold()
    names = ((node, node.name.casefold()) for node in categories.walk(tree))
    hits = (node for node, name in names if wanted in name or name in wanted)
    return tuple(Link(node.name, category_url(node.path)) for node in islice(hits, CATEGORY_HITS))
