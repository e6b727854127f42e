import pytest

pytestmark = pytest.mark.django_db
CATEGORY = "01999999-0000-7000-8000-000000000000"
URL = f"/internal/categories/{CATEGORY}/use"


@pytest.fixture
def categories(as_service):
    """The category service, with a token that it signed itself."""
    return as_service("catalog_category", "catalog:exists")


def test_counts_the_products_in_a_category_whatever_their_status(categories, make_product, category_service):
    make_product(categories=[CATEGORY])
    make_product(categories=[CATEGORY], status="archived")
    make_product()

    response = categories.get(URL)

    assert (response.status_code, response.json()) == (200, {"products": 2})


def test_counts_nothing_where_nothing_is(categories):
    assert categories.get(URL).json() == {"products": 0}


def test_refuses_a_parameter_it_does_not_know(categories):
    assert categories.get(f"{URL}?a=b").status_code == 400


def test_refuses_the_anonymous(anonymous):
    assert anonymous.get(URL).status_code == 401


def test_refuses_a_user_even_with_the_scope(as_staff):
    assert as_staff("catalog:exists").get(URL).status_code == 403


def test_refuses_another_scope(editor):
    assert editor.get(URL).status_code == 403


def test_asks_one_query(categories, django_assert_num_queries):
    with django_assert_num_queries(1):
        categories.get(URL)
