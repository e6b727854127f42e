"""Writes at the same moment: they take turns, and none leaves half of anything."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from catalog_product import operations
from catalog_product.models import Picture, SlugHistory
from catalog_product.operations import MAX_MEDIA
from chassis.django.etags import ANY
from chassis.ids import uuid7
from chassis.problems import DomainError

pytestmark = pytest.mark.usefixtures("emptied")


def at_once(*writes):
    """Runs them in threads that start together; what they return, or the problem they raise."""
    barrier = Barrier(len(writes))

    def run(write):
        connection.ensure_connection()
        barrier.wait()
        try:
            return write()
        except DomainError as exc:
            return exc.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(writes)) as pool:
        return list(pool.map(run, writes))


def positions(product):
    return list(product.media.order_by("position").values_list("position", flat=True))


@pytest.fixture
def known(make_product, add_media):
    """Colors of pictures that are not rendered again, of which a process takes on only so many at once."""
    hat, colors = make_product(), ("red", "lime", "blue", "tan")
    [add_media(hat, color) for color in colors]
    return colors


def test_uploads_at_the_same_position_all_find_a_place(make_product, add_media, known):
    shoe = make_product()
    add_media(shoe, "black")

    at_once(
        lambda: add_media(shoe, known[0], position=0),
        lambda: add_media(shoe, known[1], position=0),
        lambda: add_media(shoe, known[2], position=0),
    )

    shoe.refresh_from_db()
    assert positions(shoe) == [0, 1, 2, 3]
    assert shoe.version == 5
    assert shoe.media.order_by("position").last().alt == "In black"


def test_the_same_picture_at_once_is_shown_once(make_product, add_media, known):
    shoe = make_product()

    results = at_once(*[lambda: add_media(shoe, known[0])] * 4)

    shoe.refresh_from_db()
    assert results.count("media-exists") == 3
    assert (positions(shoe), shoe.version) == ([0], 2)


def test_the_same_bytes_for_two_products_at_once_are_one_picture(make_product, add_media, media_folder):
    first, second, color = make_product(), make_product(), f"#{uuid7().hex[-6:]}"
    before = Picture.objects.count()

    at_once(lambda: add_media(first, color), lambda: add_media(second, color))

    assert Picture.objects.count() == before + 1
    assert first.media.get().picture == second.media.get().picture
    assert sorted(path.name for path in media_folder.glob("*/*")) == ["1280.jpg", "1280.webp"]


def test_uploads_at_once_do_not_pass_the_limit(make_product, add_media, known):
    shoe = make_product()
    [add_media(shoe, f"#0000{number:02x}") for number in range(MAX_MEDIA - 2)]

    results = at_once(*[lambda color=color: add_media(shoe, color) for color in known])

    assert results.count("too-many-media") == 2
    assert positions(shoe) == list(range(MAX_MEDIA))


def test_one_of_many_gets_a_slug(make_product):
    slug = uuid7().hex

    results = at_once(*[lambda: make_product(slug)] * 5)

    assert results.count("slug-taken") == 4


def test_a_brand_is_either_deleted_or_in_use(make_brand, make_product):
    brand = make_brand()

    results = at_once(
        lambda: operations.delete_brand(brand_id=brand.public_id, expected=ANY) or "deleted",
        lambda: make_product(brand=brand.public_id) and "made",
    )

    assert results in (["deleted", "unknown-brand"], ["brand-in-use", "made"])


def test_two_products_that_swap_slugs_leave_no_slug_with_two(make_product):
    first, second = make_product(), make_product()
    old = first.slug

    def rename(product, slug):
        return operations.update_product(product_id=product.public_id, expected=ANY, slug=slug) and "renamed"

    results = at_once(lambda: rename(first, uuid7().hex), lambda: rename(second, old))

    owners = list(SlugHistory.objects.filter(slug=old).values_list("product", flat=True))
    assert (results, owners) in ((["renamed", "renamed"], []), (["renamed", "slug-taken"], [first.pk]))
