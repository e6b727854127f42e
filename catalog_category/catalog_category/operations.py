"""Every write of the tree: whoever changes its shape waits for his turn, and rows are locked after that."""

from contextlib import AbstractContextManager
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from catalog_category import queries
from catalog_category.models import Category, Status
from chassis.django.asking import ServiceAway, ask
from chassis.django.constraints import refusing
from chassis.django.etags import Expected
from chassis.problems import DomainError, FieldError

MAX_DEPTH: Final = 8
"""How many levels the tree may have; a root is on the first."""

_SLUG_KEYS: Final = ("category_slug_key", "category_root_slug_key")
_PRODUCTS: Final = "catalog_product"


class NoSuchCategory(DomainError):
    """There is no category with this id."""

    code = "not-found"
    status = 404


class UnknownParent(DomainError):
    """The parent that the input names does not exist."""

    code = "unknown-category"
    status = 422

    def __init__(self) -> None:
        detail = "There is no category with this id."
        super().__init__(errors=[FieldError("#/parent", "unknown", detail)])


class SlugTaken(DomainError):
    """A category has this slug already at this place, be it in other case."""

    code = "slug-taken"

    def __init__(self, pointer: str) -> None:
        detail = "Another category at this place has this slug."
        super().__init__(errors=[FieldError(pointer, "taken", detail)])


class WouldMakeACycle(DomainError):
    """The new parent is the category itself or lies below it."""

    code = "category-cycle"

    def __init__(self) -> None:
        detail = "A category cannot hang below itself."
        super().__init__(detail, errors=[FieldError("#/parent", "cycle", detail)])


class TooDeep(DomainError):
    """The tree would get more levels than it may have."""

    code = "category-too-deep"

    def __init__(self) -> None:
        detail = f"The tree may have {MAX_DEPTH} levels."
        super().__init__(detail, errors=[FieldError("#/parent", "too-deep", detail)])


class HasChildren(DomainError):
    """A category with others below it is not deleted."""

    code = "category-has-children"


class InUse(DomainError):
    """A category that products are in is not deleted."""

    code = "category-in-use"

    def __init__(self, products: int) -> None:
        super().__init__("Move the products to another category, or archive this one.", products=products)


@transaction.atomic
def create_category(
    *,
    name: str,
    slug: str,
    parent: UUID | None = None,
    description: str = "",
    status: str = Status.DRAFT,
    position: int | None = None,
) -> Category:
    """Add a category below a parent (None: as a root), at an index among its siblings or as the last.

    Raises: UnknownParent, TooDeep, SlugTaken.
    """
    _take_turns()
    line = _parent_line(parent)
    if len(line) >= MAX_DEPTH:
        raise TooDeep
    category = Category(
        name=name, slug=slug, description=description, status=status, parent=line[-1] if line else None
    )
    category.position = _make_room(category, position)
    with _taken_at("#/slug"):
        category.save(force_insert=True)
    return category


@transaction.atomic
def update_category(*, category_id: UUID, expected: Expected, **changes: Any) -> Category:
    """Set name, slug, description or status of the version that is expected; the next one has them.

    What is set to the value it had is no change. Raises: NoSuchCategory, PreconditionFailed, SlugTaken.
    """
    category = _lock(category_id)
    expected.check(category.version)
    changed = [name for name, value in changes.items() if getattr(category, name) != value]
    if changed:
        for name in changed:
            setattr(category, name, changes[name])
        with _taken_at("#/slug"):
            _save(category, *changed)
    return category


@transaction.atomic
def move_category(
    *, category_id: UUID, parent: UUID | None, position: int | None = None, expected: Expected
) -> Category:
    """Hang a category, with all below it, under another parent (None: make it a root), or reorder it.

    It comes to stand at an index among its siblings, at the end when there is none or it is beyond; what
    stands after it moves on, which makes no new version of those.
    Raises: NoSuchCategory, PreconditionFailed, UnknownParent, WouldMakeACycle, TooDeep, SlugTaken.
    """
    _take_turns()
    category = _lock(category_id)
    expected.check(category.version)
    line = _parent_line(parent)
    _check_place(category, line)
    category.parent = line[-1] if line else None
    category.position = _make_room(category, position)
    with _taken_at("#/parent"):
        _save(category, "parent", "position")
    return category


def delete_category(*, category_id: UUID, expected: Expected) -> None:
    """Delete a category with nothing below it that no product is in.

    The product service is asked before anything is locked. A product that is put into the category at this
    very moment keeps a reference to one that is gone; it shows without it.
    Raises: NoSuchCategory, PreconditionFailed, HasChildren, InUse, ServiceAway.
    """
    with transaction.atomic():
        _check_deletable(_lock(category_id), expected)
    products = _count_products(category_id)
    if products:
        raise InUse(products)
    with transaction.atomic():
        _take_turns()
        category = _lock(category_id)
        _check_deletable(category, expected)
        category.delete()


def check_move(category: Category, parent: Category | None) -> None:
    """Whether a category may hang below a parent, for a form that says so before it is saved.

    Raises: WouldMakeACycle, TooDeep.
    """
    _check_place(category, queries.lineage(parent.public_id) if parent else [])


def _count_products(category_id: UUID) -> int:
    response = ask(
        _PRODUCTS, settings.PRODUCT_URL, f"/internal/categories/{category_id}/use", scope="catalog:exists"
    )
    products = response.json().get("products") if response.status == 200 else None
    if type(products) is not int or products < 0:
        raise ServiceAway(_PRODUCTS)
    return products


def _take_turns() -> None:
    # Two moves that are fine alone can make a cycle together, so they take turns. Always before any row is
    # locked, so that nobody waits in a circle.
    with connection.cursor() as cursor:
        cursor.execute("SELECT category_take_turns()")


def _lock(category_id: UUID) -> Category:
    category = Category.objects.select_for_update().filter(public_id=category_id).first()
    if category is None:
        raise NoSuchCategory
    return category


def _parent_line(parent: UUID | None) -> list[Category]:
    line = queries.lineage(parent) if parent else []
    if parent and not line:
        raise UnknownParent
    return line


def _check_place(category: Category, line: list[Category]) -> None:
    if category in line:
        raise WouldMakeACycle
    if len(line) + (queries.height(category) if category.pk else 1) > MAX_DEPTH:
        raise TooDeep


def _check_deletable(category: Category, expected: Expected) -> None:
    expected.check(category.version)
    if category.children.exists():
        raise HasChildren("Delete or move what is below it first.")


def _make_room(category: Category, index: int | None) -> int:
    # Numbers the siblings from 0 up, leaves out the index, and gives it back.
    siblings = Category.objects.filter(parent=category.parent).exclude(pk=category.pk)
    if index is None:
        last = siblings.aggregate(last=Max("position"))["last"]
        return 0 if last is None else last + 1
    ordered = list(siblings.only("pk", "position").order_by("position", "public_id"))
    index = min(index, len(ordered))
    moved = []
    for number, sibling in enumerate(ordered):
        place = number if number < index else number + 1
        if sibling.position != place:
            sibling.position = place
            moved.append(sibling)
    Category.objects.bulk_update(moved, ["position"])
    return index


def _save(category: Category, *fields: str) -> None:
    category.version += 1
    category.updated_at = timezone.now()
    category.save(update_fields=[*fields, "version", "updated_at"])


def _taken_at(pointer: str) -> AbstractContextManager[None]:
    return refusing(dict.fromkeys(_SLUG_KEYS, lambda: SlugTaken(pointer)))
