import pytest

from catalog_category.models import Category
from chassis.keys import KeyStore
from chassis.testing import ORIGIN
from chassis.tokens import Verifier

pytestmark = pytest.mark.django_db
UNKNOWN = "01999999-0000-7000-8000-000000000000"


def delete(client, public_id, tag="*"):
    headers = {} if tag is None else {"If-Match": tag}
    return client.delete(f"/api/v1/categories/{public_id}", headers=headers)


@pytest.fixture
def shoes(make_category):
    return make_category("shoes")


def test_deletes_what_nothing_needs(editor, shoes, product_service):
    response = delete(editor, shoes.public_id, '"1"')

    assert (response.status_code, response.content) == (204, b"")
    assert not Category.objects.exists()


def test_asks_the_product_service_with_a_token_of_its_own(editor, shoes, product_service, keys_dir):
    delete(editor, shoes.public_id)

    ((path, authorization),) = product_service.asked
    verifier = Verifier(KeyStore(keys_dir / "public"), issuer=ORIGIN, audience="catalog_product")
    principal = verifier.authenticate([authorization])
    assert path == f"/internal/categories/{shoes.public_id}/use"
    assert principal.sub == "svc:catalog_category"
    assert principal.scopes == {"catalog:exists"}


def test_refuses_while_products_are_in_it(editor, shoes, product_service):
    product_service.body = b'{"products": 3}'

    response = delete(editor, shoes.public_id)

    assert (response.status_code, response.json()["code"]) == (409, "category-in-use")
    assert response.json()["products"] == 3
    assert Category.objects.exists()


def test_refuses_while_something_hangs_below_and_asks_nobody(editor, make_category, shoes, product_service):
    make_category(parent=shoes)

    response = delete(editor, shoes.public_id)

    assert (response.status_code, response.json()["code"]) == (409, "category-has-children")
    assert product_service.asked == []
    assert Category.objects.count() == 2


def test_keeps_it_when_the_product_service_is_away(editor, shoes, no_product_service):
    response = delete(editor, shoes.public_id)

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response.json()["service"] == "catalog_product"
    assert response["Retry-After"] == "1"
    assert Category.objects.exists()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b'{"products": 0}'),
        (401, b'{"products": 0}'),
        (200, b"not json"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"products": "0"}'),
        (200, b'{"products": false}'),
        (200, b'{"products": -1}'),
    ],
)
def test_keeps_it_when_the_answer_says_nothing(editor, shoes, product_service, status, body):
    product_service.status, product_service.body = status, body

    assert delete(editor, shoes.public_id).status_code == 503
    assert Category.objects.exists()


def test_requires_a_tag(editor, shoes):
    response = delete(editor, shoes.public_id, tag=None)

    assert (response.status_code, response.json()["code"]) == (428, "precondition-required")


def test_refuses_a_stale_tag(editor, shoes, product_service):
    response = delete(editor, shoes.public_id, '"2"')

    assert (response.status_code, response["ETag"]) == (412, '"1"')
    assert product_service.asked == []
    assert Category.objects.exists()


def test_does_not_know_others(editor):
    assert delete(editor, UNKNOWN).status_code == 404


def test_refuses_the_anonymous(anonymous, shoes):
    assert delete(anonymous, shoes.public_id).status_code == 401


def test_refuses_another_scope(as_staff, shoes):
    assert delete(as_staff("catalog:read"), shoes.public_id).status_code == 403


def test_asks_few_queries(editor, shoes, product_service, django_assert_num_queries):
    with django_assert_num_queries(11):
        delete(editor, shoes.public_id)
