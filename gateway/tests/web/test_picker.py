import pytest

from gateway.clients.variants import Matrix, Option, OptionValue, Variant
from gateway.storefront.queries.picker import pick


def option(code, *values, display="pill"):
    return Option(code, code.title(), display, tuple(OptionValue(each, each.upper(), "") for each in values))


def variant(state="in_stock", price=1000, **options):
    sku = "-".join(options.values()) or "ONE"
    return Variant(sku, options, price, "EUR", None, state, None)


SIZE = option("size", "s", "m", "l")
COLOR = option("color", "red", "blue", display="swatch")
FIT = option("fit", "slim", "wide")


def picked(options, variants, **asked):
    was = asked.pop("was", "")
    return pick(Matrix(tuple(options), tuple(variants)), pictured={}, asked=asked, was=was)


def values(found, code):
    return {value.code: value for axis in found.axes if axis.code == code for value in axis.values}


def test_needs_no_choice_of_a_product_with_one_variant():
    found = picked([], [variant()])

    assert found.chosen.sku == "ONE"
    assert found.announcement == "€10.00, in stock."


def test_presets_what_leaves_no_choice():
    found = picked([SIZE, option("color", "red")], [variant(size=s, color="red") for s in "sml"])

    assert found.choice == {"color": "red"}
    assert found.missing == "size"


def test_prefers_what_can_be_had_on_a_single_axis():
    found = picked([SIZE], [variant("sold_out", size="s"), variant(size="m")])

    assert found.choice == {"size": "m"}


def test_shows_something_when_all_of_it_is_sold_out():
    found = picked([SIZE], [variant("sold_out", size=size) for size in "sml"])

    assert found.chosen.state == "sold_out"
    assert all(value.is_sold_out for value in values(found, "size").values())


def test_keeps_what_was_clicked_first_after_a_preset():
    # Red is preset by the picture; S, which was just clicked, comes in blue alone.
    variants = [variant(color="red", size="l"), variant(color="blue", size="s")]

    found = picked([COLOR, SIZE], variants, color="red", size="s", was="color:red")

    assert found.choice == {"color": "blue", "size": "s"}
    assert found.notice == "S does not come in RED, so BLUE is chosen instead."


def test_lets_two_axes_give_way_to_a_third():
    variants = [
        variant(color="red", size="s", fit="slim"),
        variant(color="red", size="m", fit="slim"),
        variant(color="blue", size="l", fit="wide"),
    ]

    found = picked(
        [COLOR, SIZE, FIT], variants, color="red", size="m", fit="wide", was="color:red,size:m,fit:slim"
    )

    assert found.choice == {"color": "blue", "size": "l", "fit": "wide"}


def test_says_what_does_not_go_together_on_three_axes():
    variants = [variant(color="red", size="s", fit="slim"), variant(color="blue", size="s", fit="wide")]

    found = picked([COLOR, SIZE, FIT], variants, color="red")

    assert not values(found, "fit")["wide"].is_available
    assert found.missing == "size and fit"


def test_shows_the_least_price_of_what_is_left_to_choose():
    variants = [variant(size="s", color="red", price=900), variant(size="m", color="red", price=1100)]

    found = picked([SIZE, COLOR], [*variants, variant(size="s", color="blue", price=500)], color="red")

    assert (found.price.amount_minor, found.price.is_from) == (900, True)


def test_writes_prices_of_currencies_with_no_and_three_decimals():
    yen, dinar = (Variant("X", {}, 1500, code, None, "in_stock", None) for code in ("JPY", "BHD"))

    words = [picked([], [each]).announcement for each in (yen, dinar)]

    assert words == ["¥1,500, in stock.", "BHD1.500, in stock."]


@pytest.mark.parametrize(
    ("was", "size"), [("size", "m"), (",,::,", "m"), ("size:nope", "m"), ("nope:m", "m"), ("", "m")]
)
def test_is_not_led_astray_by_a_choice_before_that_is_none(was, size):
    found = picked([SIZE], [variant(size=each) for each in "sml"], size="m", was=was)

    assert found.choice == {"size": size}


def test_has_nothing_to_pick_where_there_are_no_variants():
    assert picked([SIZE], []) is None


def test_settles_among_hundreds_of_variants():
    sizes = option("size", *(f"s{number}" for number in range(40)))
    colors = option("color", *(f"c{number}" for number in range(20)))
    variants = [
        variant(size=size.code, color=color.code)
        for place, size in enumerate(sizes.values)
        for color in colors.values[place % 2 :]
    ]

    found = picked([sizes, colors], variants, size="s1", color="c0", was="size:s0,color:c0")

    assert found.choice == {"size": "s1", "color": "c1"}
    assert [axis.is_select for axis in found.axes] == [True, True]
