import json

import pytest

from catalog_variant.models import OptionValue

pytestmark = pytest.mark.django_db
UNKNOWN = "01999999-0000-7000-8000-000000000000"
BODY = {"code": "l", "name": "L"}


@pytest.fixture
def size(make_option):
    return make_option("size", "s", "m")


def send(client, method, option, value, body, tag="*"):
    path = f"/api/v1/options/{option.public_id}/values" + (f"/{value}" if value else "")
    headers = {} if tag is None else {"If-Match": tag}
    send = getattr(client, method)
    return send(path, json.dumps(body), content_type="application/json", headers=headers)


def value_of(option, code):
    return option.values.get(code=code).public_id


def test_adds_a_value_as_the_last(editor, size):
    response = send(editor, "post", size, None, BODY | {"swatch": "#abcdef"})

    row = response.json()
    assert response.status_code == 201
    assert (row["code"], row["name"], row["swatch"], row["position"]) == ("l", "L", "#abcdef", 2)
    assert row["id"] == str(value_of(size, "l"))
    assert response["ETag"] == '"2"'


def test_changes_a_value_and_counts_its_option_up(editor, size):
    response = send(editor, "patch", size, value_of(size, "m"), {"name": "Medium", "swatch": None}, '"1"')

    assert response.status_code == 200
    assert (response.json()["code"], response.json()["name"]) == ("m", "Medium")
    assert response["ETag"] == '"2"'
    size.refresh_from_db()
    assert size.version == 2


def test_makes_no_version_of_no_change(editor, size):
    assert send(editor, "patch", size, value_of(size, "m"), {"code": "m"})["ETag"] == '"1"'


def test_deletes_a_value(editor, size):
    response = send(editor, "delete", size, value_of(size, "m"), {}, '"1"')

    assert (response.status_code, response["ETag"]) == (204, '"2"')
    assert list(size.values.values_list("code", flat=True)) == ["s"]


def test_deletes_nothing_that_a_variant_has(editor, make_variant, size):
    make_variant(options={"size": "m"})

    response = send(editor, "delete", size, value_of(size, "m"), {})

    assert (response.status_code, response.json()["code"]) == (409, "option-in-use")
    assert OptionValue.objects.count() == 2


def test_refuses_a_code_that_another_value_has(editor, size):
    added = send(editor, "post", size, None, BODY | {"code": "M"})
    changed = send(editor, "patch", size, value_of(size, "s"), {"code": "M"})

    assert (added.status_code, added.json()["code"]) == (409, "code-taken")
    assert (changed.status_code, changed.json()["code"]) == (409, "code-taken")
    assert added.json()["errors"][0]["pointer"] == "#/code"


def test_takes_a_code_that_a_value_of_another_option_has(editor, make_option, size):
    assert send(editor, "post", make_option("fit"), None, {"code": "m", "name": "M"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"code": ""}, "#/code", "blank"),
        ({"code": "a b"}, "#/code", "invalid"),
        ({"name": None}, "#/name", "null"),
        ({"swatch": "#12345"}, "#/swatch", "invalid"),
        ({"swatch": 7}, "#/swatch", "invalid"),
        ({"position": -1}, "#/position", "min-value"),
        ({"hex": "#123456"}, "#/hex", "unknown"),
    ],
)
def test_points_at_a_wrong_member(editor, size, body, pointer, code):
    added = send(editor, "post", size, None, BODY | body)
    changed = send(editor, "patch", size, value_of(size, "m"), body)

    assert [added.status_code, changed.status_code] == [400, 400]
    assert [(error["pointer"], error["code"]) for error in added.json()["errors"]] == [(pointer, code)]
    assert [(error["pointer"], error["code"]) for error in changed.json()["errors"]] == [(pointer, code)]


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_requires_a_tag_of_the_option_that_is_not_stale(editor, size, method):
    value = value_of(size, "m")

    assert send(editor, method, size, value, {}, None).status_code == 428
    assert send(editor, method, size, value, {}, '"7"').status_code == 412


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_does_not_know_values_of_others(editor, make_option, size, method):
    other = make_option("fit", "slim")

    assert send(editor, method, size, value_of(other, "slim"), {}).status_code == 404
    assert send(editor, method, size, UNKNOWN, {}).status_code == 404


def test_adds_nothing_to_what_is_not_there(editor):
    path = f"/api/v1/options/{UNKNOWN}/values"

    assert editor.post(path, json.dumps(BODY), content_type="application/json").status_code == 404


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_refuses_who_may_not_write(anonymous, as_staff, size, method):
    value = None if method == "post" else value_of(size, "m")

    assert send(anonymous, method, size, value, BODY).status_code == 401
    assert send(as_staff("catalog:read stock:write"), method, size, value, BODY).status_code == 403


def test_asks_few_queries(editor, size, django_assert_num_queries):
    with django_assert_num_queries(8):
        send(editor, "post", size, None, BODY)
