"""The category service: the tree that hangs in the header, and one category with what is around it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.clients import calls, services


@dataclass(frozen=True, slots=True)
class Category:
    """Where products are found; path is the slugs from the root, with slashes between."""

    id: str
    name: str
    slug: str
    path: str


@dataclass(frozen=True, slots=True)
class Node:
    """A category of the tree."""

    id: str
    name: str
    slug: str
    path: str
    children: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class CategoryPage:
    """A category and its surroundings; breadcrumb begins at the root and ends with the category."""

    id: str
    name: str
    path: str
    description: str
    breadcrumb: tuple[Category, ...]
    children: tuple[Category, ...]
    siblings: tuple[Category, ...]


def tree() -> tuple[Node, ...]:
    """The roots, with everything below.

    Raises: Unanswered.
    """
    return services.service("catalog_category").get("/api/v1/categories/tree", _read_tree)


def find(path: str) -> CategoryPage:
    """The category at a path; Moved tells its API address when it is another now.

    The service does not mind the case, and each spelling would be kept for itself. A path that it does not
    take, being too long perhaps, is that of nothing: Missing.
    Raises: Unanswered.
    """
    asked = services.path_with("/api/v1/categories", path=path.lower())
    try:
        return services.service("catalog_category").get(asked, _read_page)
    except calls.Refused as exc:
        raise calls.Missing(path) from exc


def lineage(nodes: tuple[Node, ...], category_id: str) -> tuple[Node, ...]:
    """From a root down to the category, or nothing when the tree does not hold it."""
    for node in nodes:
        if node.id == category_id:
            return (node,)
        below = lineage(node.children, category_id)
        if below:
            return (node, *below)
    return ()


def walk(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """Every node, parents first."""
    for node in nodes:
        yield node
        yield from walk(node.children)


def _read_tree(data: Any) -> tuple[Node, ...]:
    return tuple(_read_node(each) for each in data["data"])


def _read_node(data: Any) -> Node:
    children = tuple(_read_node(each) for each in data["children"])
    return Node(str(data["id"]), str(data["name"]), str(data["slug"]), str(data["path"]), children)


def _read_page(data: Any) -> CategoryPage:
    breadcrumb = _read_categories(data["breadcrumb"])
    if not breadcrumb:
        raise ValueError("A category stands in its own breadcrumb.")
    return CategoryPage(
        id=str(data["id"]),
        name=str(data["name"]),
        path=str(data["path"]),
        description=str(data["description"]),
        breadcrumb=breadcrumb,
        children=_read_categories(data["children"]),
        siblings=_read_categories(data["siblings"]),
    )


def _read_categories(data: Any) -> tuple[Category, ...]:
    return tuple(
        Category(str(each["id"]), str(each["name"]), str(each["slug"]), str(each["path"])) for each in data
    )
