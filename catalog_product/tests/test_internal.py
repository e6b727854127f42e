import pytest

pytestmark = pytest.mark.django_db
UNKNOWN = "01999999-0000-7000-8000-000000000000"


def url(public_id):
    return f"/internal/products/{public_id}"


@pytest.fixture
def variants(as_service):
    """The variant service, with a token that it signed itself."""
    return as_service("catalog_variant", "catalog:exists")


@pytest.mark.parametrize("status", ["draft", "published", "archived"])
def test_tells_a_service_that_a_product_exists(variants, make_product, status):
    product = make_product(status=status)

    response = variants.get(url(product.public_id))

    assert response.status_code == 200
    assert response.json() == {"id": str(product.public_id), "exists": True, "status": status}
    assert response["Cache-Control"] == "no-store"


def test_tells_a_service_that_there_is_none(variants):
    assert variants.get(url(UNKNOWN)).status_code == 404


def test_refuses_a_parameter_it_does_not_know(variants, make_product):
    assert variants.get(f"{url(make_product().public_id)}?a=b").status_code == 400


def test_refuses_the_anonymous(anonymous):
    assert anonymous.get(url(UNKNOWN)).status_code == 401


def test_refuses_a_user_even_with_the_scope(as_staff):
    assert as_staff("catalog:exists").get(url(UNKNOWN)).status_code == 403


def test_refuses_another_scope(editor, as_service):
    assert editor.get(url(UNKNOWN)).status_code == 403
    assert as_service("catalog_variant", "listings:write").get(url(UNKNOWN)).status_code == 403


def test_asks_one_query(variants, make_product, django_assert_num_queries):
    product = make_product()

    with django_assert_num_queries(1):
        variants.get(url(product.public_id))
