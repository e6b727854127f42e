import pytest

from catalog_product.queries import with_letters_swapped

pytestmark = pytest.mark.django_db
URL = "/api/v1/products"


def slugs(response):
    return [row["slug"] for row in response.json()["data"]]


def search(client, words, **query):
    return client.get(URL, {"q": words} | query)


@pytest.fixture
def shelf(make_product, make_brand):
    """Products that have the word "leather" in their title, subtitle, details, description, or not at all."""
    make_product("in-description", title="Hat", description="Soft leather inside.")
    make_product("in-details", title="Belt", details=[{"label": "Material", "value": "Leather"}])
    make_product("in-subtitle", title="Boot", subtitle="Leather, lined")
    make_product("in-title", title="Leather sneakers")
    make_product("elsewhere", title="Umbrella", brand=make_brand("Regenbogen").public_id)


def test_finds_words_and_puts_what_counts_more_first(anonymous, shelf):
    response = search(anonymous, "leather")

    assert slugs(response) == ["in-title", "in-subtitle", "in-details", "in-description"]


def test_finds_other_forms_of_a_word(anonymous, shelf):
    assert slugs(search(anonymous, "sneaker")) == ["in-title"]


def test_puts_what_has_every_word_first(anonymous, shelf):
    assert slugs(search(anonymous, "leather boots"))[0] == "in-subtitle"


def test_finds_a_brand_also_by_its_new_name(anonymous, editor, make_brand, make_product):
    brand = make_brand("Alder")
    make_product("shoe", brand=brand.public_id)
    url, headers = f"/api/v1/brands/{brand.public_id}", {"If-Match": "*"}
    editor.patch(url, {"name": "Quercus"}, format="json", headers=headers)

    assert slugs(search(anonymous, "quercus")) == ["shoe"]
    assert slugs(search(anonymous, "alder")) == []


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        ("snaekers", "in-title"),
        ("sneekers", "in-title"),
        ("lether sneakrs", "in-title"),
        ("umbrela", "elsewhere"),
        ("regenbogn", "elsewhere"),
        ("UMBR", "elsewhere"),
    ],
)
def test_forgives_a_slip_of_the_finger(anonymous, shelf, words, slug):
    assert slugs(search(anonymous, words))[0] == slug


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("chiar", "Chair"),
        ("hcair", "Chair"),
        ("lmap", "Lamp"),
        ("lapm", "Lamp"),
        ("LMAP", "Lamp"),
        ("mgu", "Mug"),
        ("umg", "Mug"),
        ("jcaket", "Jacket"),
        ("jcakets", "Jacket"),
        ("t-shrit", "T-shirt"),
        ("red chiar", "Red chair"),
        ('"red chiar"', "Red chair"),
        ('"red chiar', "Red chair"),
        ("lmap or xyzzy", "Lamp"),
        ("jakcet -chair", "Jacket"),
    ],
)
def test_finds_what_is_meant_when_two_letters_change_places(anonymous, make_product, words, title):
    [make_product(title=other) for other in ("Boat", "Chart", "Lark", "Map", "Gum", "Ticket", title)]

    (first, *_) = search(anonymous, words).json()["data"]

    assert first["title"] == title


@pytest.mark.parametrize("words", ["chir", "cheir", "chairr", "cahir", "chai"])
def test_finds_a_short_word_despite_a_slip(anonymous, make_product, words):
    [make_product(title=other) for other in ("Boot", "Cap", "Chives", "Carafe")]
    make_product("meant", title="Chair")

    assert slugs(search(anonymous, words))[0] == "meant"


def test_finds_details_despite_a_slip(anonymous, make_product):
    make_product("hat", title="Hat")
    make_product("meant", title="Forester", details=[{"label": "Kind", "value": "Armchair"}])

    assert slugs(search(anonymous, "armchiar")) == ["meant"]
    assert slugs(search(anonymous, "armcher")) == ["meant"]


def test_puts_what_may_be_meant_between_hits_and_what_looks_alike(anonymous, make_product):
    make_product("alike", title="Lmaper")
    make_product("meant", title="Lamp")
    make_product("hit", title="Hat", description="Has a lmap.")

    assert slugs(search(anonymous, "lmap"))[:2] == ["hit", "meant"]


def test_looks_for_what_is_alike_only_when_little_is_meant(anonymous, make_product):
    make_product("alike", title="Lmaper")
    meant = [make_product(title="Lamp").slug for _ in range(3)]

    assert set(slugs(search(anonymous, "lmap"))) == set(meant)


def test_puts_a_likeness_of_the_title_before_others(anonymous, make_product):
    make_product("in-title", title="Leather")
    make_product("in-subtitle", title="Hat", subtitle="Leather")

    assert slugs(search(anonymous, "lether")) == ["in-title", "in-subtitle"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mug", "umg or mgu"),
        ("boot", "obot or boto"),
        ("red mug", "erd mug or rde mug or red umg or red mgu"),
        ("mug -red", "umg -red or mgu -red"),
        ('-"red mug" cup', '-"red mug" ucp or -"red mug" cpu'),
        ('"mug', '"umg" or "mgu"'),
        ("ab 123 ooo", ""),
        ("a-mug", "a-umg or a-mgu"),
    ],
)
def test_swaps_neighbors_in_one_word_at_a_time(text, meant):
    assert with_letters_swapped(text) == meant


def test_puts_what_only_looks_alike_behind_every_hit(anonymous, make_product):
    make_product("alike", title="Boat")
    make_product("hit", title="Hat", description="Goes with a boot.")

    assert slugs(search(anonymous, "boot")) == ["hit", "alike"]


def test_looks_for_what_is_alike_only_when_there_is_little(anonymous, make_product):
    make_product("alike", title="Boat")
    hits = [make_product(title="Boot").slug for _ in range(3)]

    assert set(slugs(search(anonymous, "boot"))) == set(hits)


@pytest.mark.parametrize("words", ["xyzzy", "the", "'", "a & ! |", "%", '"unclosed', "日本", "\\"])
def test_finds_nothing_for_words_that_nothing_has(anonymous, shelf, words):
    response = search(anonymous, words)

    assert (response.status_code, slugs(response)) == (200, [])


@pytest.mark.parametrize("status", ["draft", "archived"])
@pytest.mark.parametrize("words", ["sneakers", "snaekers"])
def test_does_not_find_what_is_not_published(anonymous, customer, editor, make_product, status, words):
    make_product("hidden", title="Sneakers", status=status)

    assert slugs(search(anonymous, words)) == []
    assert slugs(search(customer, words)) == []
    assert slugs(search(editor, words)) == ["hidden"]


def test_does_not_let_what_is_hidden_decide_whether_there_is_little(anonymous, make_product):
    make_product("alike", title="Boat")
    [make_product(title="Boot", status="draft") for _ in range(3)]

    assert slugs(search(anonymous, "boot")) == ["alike"]


@pytest.mark.parametrize("words", ["leather", "leathr"])
def test_continues_after_the_cursor(anonymous, shelf, words):
    whole = slugs(search(anonymous, words))
    first = search(anonymous, words, limit=1)

    rest = search(anonymous, words, cursor=first.json()["next_cursor"])

    assert slugs(first) + slugs(rest) == whole


def test_sorts_hits_otherwise_when_told(anonymous, shelf):
    response = search(anonymous, "leather", sort="title")

    assert slugs(response) == ["in-details", "in-subtitle", "in-description", "in-title"]


@pytest.mark.parametrize(("words", "queries"), [("boot", 3), ("boto", 4), ("boat", 4)])
def test_asks_as_many_queries_however_much_is_found(
    anonymous, make_product, add_media, django_assert_num_queries, words, queries
):
    products = [make_product(title="Boot") for _ in range(10)]
    [add_media(product) for product in products]

    with django_assert_num_queries(queries):
        search(anonymous, words)
