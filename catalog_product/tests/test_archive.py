import pytest

from catalog_product.models import Product, Status

pytestmark = pytest.mark.django_db
UNKNOWN = "01999999-0000-7000-8000-000000000000"


def delete(client, public_id, tag="*"):
    headers = {} if tag is None else {"If-Match": tag}
    return client.delete(f"/api/v1/products/{public_id}", headers=headers)


def test_archives_what_variants_may_refer_to(editor, anonymous, make_product):
    product = make_product()

    response = delete(editor, product.public_id, '"1"')

    product.refresh_from_db()
    assert (response.status_code, response.content) == (204, b"")
    assert (product.status, product.version) == (Status.ARCHIVED, 2)
    assert anonymous.get(f"/api/v1/products/{product.public_id}").status_code == 404


def test_changes_nothing_when_it_is_repeated(editor, make_product):
    product = make_product()
    delete(editor, product.public_id)

    response = delete(editor, product.public_id)

    product.refresh_from_db()
    assert (response.status_code, product.version) == (204, 2)


def test_requires_a_tag(editor, make_product):
    assert delete(editor, make_product().public_id, tag=None).status_code == 428


def test_refuses_a_stale_tag(editor, make_product):
    response = delete(editor, make_product().public_id, '"2"')

    assert (response.status_code, response["ETag"]) == (412, '"1"')
    assert Product.objects.get().status == Status.PUBLISHED


def test_does_not_know_others(editor):
    assert delete(editor, UNKNOWN).status_code == 404


def test_refuses_the_anonymous(anonymous, make_product):
    assert delete(anonymous, make_product().public_id).status_code == 401


def test_refuses_another_scope(as_staff, make_product):
    assert delete(as_staff("catalog:read"), make_product().public_id).status_code == 403


def test_asks_few_queries(editor, make_product, django_assert_num_queries):
    product = make_product()

    with django_assert_num_queries(7):
        delete(editor, product.public_id)
