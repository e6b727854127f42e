"""Random trees under random moves, one after another and at once; whatever happens, it stays a tree."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_category import operations, queries
from catalog_category.models import Category
from catalog_category.operations import MAX_DEPTH
from chassis.django.etags import ANY
from chassis.problems import DomainError

SIZE = 6
pytestmark = pytest.mark.usefixtures("emptied")
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
places = st.integers(0, SIZE - 1)
moves = st.tuples(places, st.none() | places, st.none() | st.integers(0, SIZE))
slugs = st.lists(st.sampled_from(["a", "A", "b", "c", "d", "e", "f"]), min_size=SIZE, max_size=SIZE)


def plant(slugs):
    """As many categories as there are slugs, each below the last one that can have it."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM category")
    planted = []
    for slug in slugs:
        parent = planted[-1].public_id if planted else None
        planted.append(operations.create_category(name="n", slug=slug, parent=parent, status="published"))
    return [category.public_id for category in planted]


def move(ids, category, parent, position):
    target = None if parent is None else ids[parent]
    try:
        operations.move_category(category_id=ids[category], parent=target, position=position, expected=ANY)
    except DomainError as exc:
        return exc
    return None


def walk(parents, category):
    """The way up; it would never end in a cycle, so it is cut."""
    way = []
    while category is not None and len(way) <= len(parents):
        way.append(category)
        category = parents[category]
    return way


def assert_is_a_tree(size):
    rows = list(Category.objects.values_list("pk", "parent_id", "slug", "position"))
    parents = {pk: parent for pk, parent, _, _ in rows}
    assert len(rows) == size
    assert max(len(walk(parents, pk)) for pk in parents) <= MAX_DEPTH
    assert len({(parent, slug.lower()) for _, parent, slug, _ in rows}) == size
    assert len({(parent, position) for _, parent, _, position in rows}) == size
    assert sum(1 for _ in nodes(queries.tree(depth=MAX_DEPTH, all_statuses=True))) == size


def nodes(tree):
    for node in tree:
        yield node
        yield from nodes(node.children)


@settings(RELAXED, max_examples=25)
@given(slugs=slugs, wanted=st.lists(moves, max_size=10))
def test_stays_a_tree_under_moves_in_turn(slugs, wanted):
    ids = plant(slugs)

    for one in wanted:
        move(ids, *one)

    assert_is_a_tree(SIZE)


@settings(RELAXED, max_examples=12)
@given(slugs=slugs, wanted=st.lists(moves, min_size=2, max_size=4))
def test_stays_a_tree_under_moves_at_once(slugs, wanted):
    ids = plant(slugs)
    barrier = Barrier(len(wanted))

    def run(one):
        connection.ensure_connection()
        barrier.wait()
        try:
            return move(ids, *one)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(wanted)) as pool:
        list(pool.map(run, wanted))

    assert_is_a_tree(SIZE)


def test_lets_one_of_two_moves_win_that_make_a_cycle_together(make_category):
    ids = [make_category().public_id for _ in range(2)]
    barrier = Barrier(2)

    def run(one):
        connection.ensure_connection()
        barrier.wait()
        try:
            return move(ids, *one)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, [(0, 1, None), (1, 0, None)]))

    assert [result.code for result in results if result] == ["category-cycle"]
    assert_is_a_tree(2)


def test_gives_one_slug_to_one_of_many_who_create_it_at_once():
    barrier = Barrier(6)

    def run(_):
        connection.ensure_connection()
        barrier.wait()
        try:
            return operations.create_category(name="n", slug="shoes")
        except operations.SlugTaken:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(run, range(6)))

    assert sum(result is not None for result in results) == 1
    assert_is_a_tree(1)
