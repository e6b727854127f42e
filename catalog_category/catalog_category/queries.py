"""Reads of the tree, each a fixed number of statements however large it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Q

from catalog_category.models import Category, Status

_LINEAGE: Final = """
    WITH RECURSIVE up AS (
        SELECT c.*, 1 AS height FROM category c WHERE c.public_id = %s
        UNION ALL SELECT c.*, up.height + 1 FROM category c JOIN up ON c.id = up.parent_id
    ) SELECT * FROM up ORDER BY height DESC
"""
_LINEAGE_BY_PATH: Final = """
    WITH RECURSIVE wanted AS (SELECT %s::text[] AS slugs), walk AS (
        SELECT c.*, 1 AS depth FROM category c, wanted w
         WHERE c.parent_id IS NULL AND lower(c.slug) = lower(w.slugs[1])
        UNION ALL
        SELECT c.*, walk.depth + 1 FROM wanted w, walk JOIN category c ON c.parent_id = walk.id
         WHERE lower(c.slug) = lower(w.slugs[walk.depth + 1])
    ) SELECT * FROM walk ORDER BY depth
"""
_PATHS: Final = """
    WITH RECURSIVE up AS (
        SELECT id AS start, parent_id, slug, 1 AS height FROM category WHERE id = ANY(%s)
        UNION ALL SELECT up.start, c.parent_id, c.slug, up.height + 1
                    FROM category c JOIN up ON c.id = up.parent_id
    ) SELECT start, string_agg(slug, '/' ORDER BY height DESC) FROM up GROUP BY start
"""
_HEIGHT: Final = """
    WITH RECURSIVE below AS (
        SELECT id, 1 AS level FROM category WHERE id = %s
        UNION ALL SELECT c.id, b.level + 1 FROM category c JOIN below b ON c.parent_id = b.id
    ) SELECT max(level) FROM below
"""
_TREE: Final = """
    WITH RECURSIVE tree AS (
        SELECT id, public_id, NULL::uuid AS parent, name, slug, status, position, 1 AS level
          FROM category WHERE {start} AND status = ANY(%(statuses)s)
        UNION ALL
        SELECT c.id, c.public_id, t.public_id, c.name, c.slug, c.status, c.position, t.level + 1
          FROM category c JOIN tree t ON c.parent_id = t.id
         WHERE t.level < %(depth)s AND c.status = ANY(%(statuses)s)
    ) SELECT public_id, parent, name, slug, status FROM tree ORDER BY level, position, public_id
"""


@dataclass(frozen=True, slots=True)
class Link:
    """As much of a category as a link to it needs; path is the slugs from the root down, joined by `/`."""

    id: UUID
    name: str
    slug: str
    path: str
    status: str


@dataclass(frozen=True, slots=True)
class Row:
    """A category with its path and its parent's public id (None for a root)."""

    id: UUID
    name: str
    slug: str
    path: str
    parent: UUID | None
    position: int
    status: str
    description: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Detail:
    """A category amid its family; breadcrumb starts at the root and ends with the category itself."""

    row: Row
    breadcrumb: list[Link]
    children: list[Link]
    siblings: list[Link]


@dataclass(frozen=True, slots=True)
class Node:
    """A category with what hangs below it, in order."""

    id: UUID
    name: str
    slug: str
    path: str
    status: str
    children: list["Node"] = field(default_factory=list)


def lineage(public_id: UUID) -> list[Category]:
    """A category and all above it, the root first; empty when there is none with this id."""
    return list(Category.objects.raw(_LINEAGE, [str(public_id)]))


def lineage_by_path(slugs: Sequence[str]) -> list[Category]:
    """The same by the slugs from the root down, ignoring case; empty unless every one is found."""
    found = list(Category.objects.raw(_LINEAGE_BY_PATH, [list(slugs)]))
    return found if len(found) == len(slugs) else []


def is_visible(line: Iterable[Category]) -> bool:
    """Whether the public sees the last one of a lineage."""
    return all(category.status == Status.PUBLISHED for category in line)


def height(category: Category) -> int:
    """How many levels a category with all below it has; 1 when nothing is."""
    with connection.cursor() as cursor:
        cursor.execute(_HEIGHT, [category.pk])
        return int(cursor.fetchone()[0])


def row_of(line: Sequence[Category]) -> Row:
    """The last one of a lineage."""
    parent = line[-2].public_id if len(line) > 1 else None
    return _row(line[-1], _path(line), parent)


def rows_of(categories: Sequence[Category]) -> list[Row]:
    """Categories, fetched with their parents; one statement finds all their paths.

    What was deleted between the two reads is left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PATHS, [[category.pk for category in categories]])
        paths = dict(cursor.fetchall())
    return [
        _row(category, paths[category.pk], category.parent.public_id if category.parent else None)
        for category in categories
        if category.pk in paths
    ]


def detail_of(line: Sequence[Category], *, all_statuses: bool) -> Detail:
    """The last one of a lineage amid its family, of which the published is shown, or all."""
    category = line[-1]
    family = Category.objects.filter(Q(parent=category) | _beside(category)).exclude(pk=category.pk)
    if not all_statuses:
        family = family.filter(status=Status.PUBLISHED)
    members = list(family.order_by("position", "public_id"))
    path, above = _path(line), _path(line[:-1])
    return Detail(
        row=row_of(line),
        breadcrumb=[_link(one, _path(line[: end + 1])) for end, one in enumerate(line)],
        children=[_link(one, f"{path}/{one.slug}") for one in members if one.parent_id == category.pk],
        siblings=[_link(one, _below(above, one.slug)) for one in members if one.parent_id != category.pk],
    )


def tree(*, root: Sequence[Category] = (), depth: int, all_statuses: bool) -> list[Node]:
    """The tree to `depth` levels: all roots, or the last one of the lineage `root` alone."""
    statuses = Status.values if all_statuses else [Status.PUBLISHED.value]
    start = "id = %(root)s" if root else "parent_id IS NULL"
    values: dict[str, Any] = {"depth": depth, "statuses": statuses, "root": root[-1].pk if root else None}
    with connection.cursor() as cursor:
        cursor.execute(_TREE.format(start=start), values)
        rows = cursor.fetchall()
    top: list[Node] = []
    nodes: dict[UUID, Node] = {}
    for public_id, parent, name, slug, status in rows:
        # Levels come in order, so a parent is always there before its children.
        above = nodes[parent].path if parent else _path(root[:-1])
        node = nodes[public_id] = Node(public_id, name, slug, _below(above, slug), status)
        (nodes[parent].children if parent else top).append(node)
    return top


def _beside(category: Category) -> Q:
    return Q(parent_id=category.parent_id) if category.parent_id else Q(parent__isnull=True)


def _path(line: Sequence[Category]) -> str:
    return "/".join(category.slug for category in line)


def _below(path: str, slug: str) -> str:
    return f"{path}/{slug}" if path else slug


def _link(category: Category, path: str) -> Link:
    return Link(category.public_id, category.name, category.slug, path, category.status)


def _row(category: Category, path: str, parent: UUID | None) -> Row:
    return Row(
        id=category.public_id,
        name=category.name,
        slug=category.slug,
        path=path,
        parent=parent,
        position=category.position,
        status=category.status,
        description=category.description,
        created_at=category.created_at,
        updated_at=category.updated_at,
    )
