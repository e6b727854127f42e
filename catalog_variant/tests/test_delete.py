import pytest

from catalog_variant.models import OptionValue, Variant

pytestmark = pytest.mark.django_db
UNKNOWN = "01999999-0000-7000-8000-000000000000"


def delete(client, public_id, tag="*"):
    headers = {} if tag is None else {"If-Match": tag}
    return client.delete(f"/api/v1/variants/{public_id}", headers=headers)


@pytest.fixture
def variant(make_variant):
    return make_variant()


def test_deletes_what_never_had_stock(editor, make_variant, shirt):
    variant = make_variant(options={"size": "m"})

    response = delete(editor, variant.public_id, '"1"')

    assert (response.status_code, response.content) == (204, b"")
    assert not Variant.objects.exists()
    assert OptionValue.objects.get(code="m").delete()[0] == 1


def test_archives_what_ever_had_stock(editor, variant, adjust):
    adjust(variant, 1)
    adjust(variant, -1)

    response = delete(editor, variant.public_id)

    variant.refresh_from_db()
    assert response.status_code == 204
    assert (variant.status, variant.version) == ("archived", 2)


def test_makes_no_version_of_what_is_archived_already(editor, make_variant, adjust):
    variant = make_variant(status="archived")
    adjust(variant, 1)

    assert delete(editor, variant.public_id).status_code == 204
    variant.refresh_from_db()
    assert variant.version == 1


def test_requires_a_tag(editor, variant):
    response = delete(editor, variant.public_id, tag=None)

    assert (response.status_code, response.json()["code"]) == (428, "precondition-required")


def test_refuses_a_stale_tag(editor, variant):
    response = delete(editor, variant.public_id, '"2"')

    assert (response.status_code, response["ETag"]) == (412, '"1"')
    assert Variant.objects.exists()


def test_does_not_know_others(editor):
    assert delete(editor, UNKNOWN).status_code == 404


def test_refuses_the_anonymous(anonymous, variant):
    assert delete(anonymous, variant.public_id).status_code == 401


def test_refuses_another_scope(as_staff, variant):
    assert delete(as_staff("catalog:read"), variant.public_id).status_code == 403


def test_asks_few_queries(editor, variant, django_assert_num_queries):
    with django_assert_num_queries(5):
        delete(editor, variant.public_id)
