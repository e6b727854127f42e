import json

import pytest

from catalog_variant.models import Option, OptionValue

pytestmark = pytest.mark.django_db
URL = "/api/v1/options"
UNKNOWN = "01999999-0000-7000-8000-000000000000"
BODY = {
    "code": "colour",
    "name": "Colour",
    "display": "swatch",
    "values": [
        {"code": "forest", "name": "Forest", "swatch": "#2E5A3C"},
        {"code": "sand", "name": "Sand"},
    ],
}


def send(client, method, path, body, tag=None):
    headers = {} if tag is None else {"If-Match": tag}
    send = getattr(client, method)
    return send(f"{URL}{path}", json.dumps(body), content_type="application/json", headers=headers)


def post(client, body):
    return send(client, "post", "", body)


def codes(response):
    return [row["code"] for row in response.json()["data"]]


def errors_of(response):
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


@pytest.fixture
def size(make_option):
    return make_option("size", "s", "m")


def test_lists_options_with_values_in_order_to_anybody(anonymous, make_option):
    make_option("size", "s", position=4)
    first = make_option("colour", "sand", "forest", position=1)

    response = anonymous.get(URL)

    assert codes(response) == ["colour", "size"]
    row = response.json()["data"][0]
    assert (row["id"], row["display"], row["position"]) == (str(first.public_id), "pill", 1)
    assert [(value["code"], value["position"]) for value in row["values"]] == [("sand", 0), ("forest", 1)]
    assert row["values"][0].keys() == {"id", "code", "name", "swatch", "position"}
    assert response["Cache-Control"] == "public, max-age=30, stale-while-revalidate=300"


def test_gives_a_batch_of_ids_in_one_answer(anonymous, make_option):
    wanted = [str(make_option(f"o-{number}").public_id) for number in range(25)]
    make_option("other")

    response = anonymous.get(URL, {"ids": ",".join(wanted)})

    assert {row["id"] for row in response.json()["data"]} == set(wanted)


def test_continues_after_the_cursor(anonymous, make_option):
    made = [make_option(f"o-{number}").code for number in range(5)]
    first = anonymous.get(URL, {"limit": 3})

    second = anonymous.get(URL, {"limit": 3, "cursor": first.json()["next_cursor"]})

    assert codes(first) + codes(second) == made


def test_shows_one_option(anonymous, size):
    response = anonymous.get(f"{URL}/{size.public_id}")

    assert response.status_code == 200
    assert [value["code"] for value in response.json()["values"]] == ["s", "m"]
    assert response["ETag"].startswith('"1-')


def test_answers_304_until_a_value_changes(anonymous, editor, size):
    url = f"{URL}/{size.public_id}"
    tag = anonymous.get(url)["ETag"]

    unchanged = anonymous.get(url, headers={"If-None-Match": tag})
    send(editor, "post", f"/{size.public_id}/values", {"code": "l", "name": "L"})

    assert unchanged.status_code == 304
    assert anonymous.get(url, headers={"If-None-Match": tag}).status_code == 200


def test_does_not_know_others(anonymous, editor):
    assert anonymous.get(f"{URL}/{UNKNOWN}").status_code == 404
    assert send(editor, "patch", f"/{UNKNOWN}", {}, "*").status_code == 404
    assert editor.delete(f"{URL}/{UNKNOWN}", headers={"If-Match": "*"}).status_code == 404


def test_adds_an_option_with_values_as_the_last(editor, size):
    response = post(editor, BODY)

    row = response.json()
    assert response.status_code == 201
    assert (row["code"], row["display"], row["position"]) == ("colour", "swatch", 1)
    assert [(value["code"], value["swatch"], value["position"]) for value in row["values"]] == [
        ("forest", "#2e5a3c", 0),
        ("sand", "", 1),
    ]
    assert response["Location"] == f"{URL}/{row['id']}"
    assert response["ETag"] == '"1"'


def test_answers_with_what_it_wrote_though_somebody_deletes_it_at_once(editor, size, deleted_after):
    deleted_after("create_option", Option)
    deleted_after("update_option", Option)

    changed = send(editor, "patch", f"/{size.public_id}", {"name": "Sizes"}, "*")
    added = post(editor, BODY)

    assert (changed.status_code, changed.json()["name"], changed["ETag"]) == (200, "Sizes", '"2"')
    assert [value["code"] for value in changed.json()["values"]] == ["s", "m"]
    assert (added.status_code, len(added.json()["values"])) == (201, 2)


@pytest.mark.parametrize("code", ["size", "SIZE"])
def test_refuses_a_code_that_another_has(editor, size, code):
    response = post(editor, BODY | {"code": code})

    assert (response.status_code, response.json()["code"]) == (409, "code-taken")
    assert errors_of(response) == [("#/code", "taken")]
    assert Option.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"code": None}, "#/code", "null"),
        ({"code": "a b"}, "#/code", "invalid"),
        ({"code": 7}, "#/code", "invalid"),
        ({"name": " "}, "#/name", "blank"),
        ({"display": "list"}, "#/display", "invalid-choice"),
        ({"position": "1"}, "#/position", "invalid"),
        ({"values": {}}, "#/values", "not-a-list"),
        ({"values": ["m"]}, "#/values/0", "invalid"),
        ({"values": [{"code": "m", "name": "M"}, {"code": "l"}]}, "#/values/1/name", "required"),
        ({"values": [{"code": "m", "name": "M", "swatch": "red"}]}, "#/values/0/swatch", "invalid"),
        ({"values": [{"code": "m", "name": "M", "hex": "1"}]}, "#/values/0/hex", "unknown"),
        (
            {"values": [{"code": "m", "name": "M"}, {"code": "M", "name": "M"}]},
            "#/values/1/code",
            "duplicate",
        ),
        ({"values": [{"code": "m", "name": "M"}] * 201}, "#/values", "max-length"),
        ({"colour": "red"}, "#/colour", "unknown"),
    ],
)
def test_points_at_a_wrong_member(editor, change, pointer, code):
    response = post(editor, BODY | change)

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert errors_of(response) == [(pointer, code)]
    assert not Option.objects.exists()


def test_changes_an_option(editor, size):
    response = send(editor, "patch", f"/{size.public_id}", {"name": "Fit", "position": 3}, '"1"')

    row = response.json()
    assert response.status_code == 200
    assert (row["code"], row["name"], row["position"]) == ("size", "Fit", 3)
    assert response["ETag"] == '"2"'


def test_makes_no_version_of_no_change(editor, size):
    assert send(editor, "patch", f"/{size.public_id}", {"name": "Size"}, '"1"')["ETag"] == '"1"'


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"code": None}, "#/code", "null"),
        ({"name": ""}, "#/name", "blank"),
        ({"display": "list"}, "#/display", "invalid-choice"),
        ({"position": None}, "#/position", "null"),
        ({"values": []}, "#/values", "unknown"),
    ],
)
def test_points_at_a_wrong_member_of_a_patch(editor, size, body, pointer, code):
    response = send(editor, "patch", f"/{size.public_id}", body, '"1"')

    assert response.status_code == 400
    assert errors_of(response) == [(pointer, code)]


def test_refuses_to_change_to_a_code_that_another_has(editor, make_option, size):
    other = make_option("colour")

    response = send(editor, "patch", f"/{other.public_id}", {"code": "Size"}, "*")

    assert (response.status_code, response.json()["code"]) == (409, "code-taken")


def test_deletes_an_option_with_its_values(editor, size):
    response = editor.delete(f"{URL}/{size.public_id}", headers={"If-Match": '"1"'})

    assert response.status_code == 204
    assert not OptionValue.objects.exists()


def test_deletes_nothing_that_a_variant_chooses_from(editor, make_variant, size):
    make_variant(options={"size": "m"}, status="archived")

    response = editor.delete(f"{URL}/{size.public_id}", headers={"If-Match": "*"})

    assert (response.status_code, response.json()["code"]) == (409, "option-in-use")
    assert size.values.count() == 2


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_requires_a_tag_that_is_not_stale(editor, size, method):
    path = f"/{size.public_id}"

    assert send(editor, method, path, {"name": "x"}).status_code == 428
    stale = send(editor, method, path, {"name": "x"}, '"7"')
    assert (stale.status_code, stale["ETag"]) == (412, '"1"')


@pytest.mark.parametrize(
    ("query", "parameter"), [("limit=0", "limit"), ("cursor=x", "cursor"), ("ids=7", "ids")]
)
def test_points_at_a_wrong_parameter(anonymous, query, parameter):
    response = anonymous.get(f"{URL}?{query}")

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"?{parameter}"


def test_refuses_a_parameter_it_does_not_know(anonymous, size):
    assert anonymous.get(f"{URL}?code=size").json()["code"] == "unknown-parameter"
    assert anonymous.get(f"{URL}/{size.public_id}?a=b").json()["code"] == "unknown-parameter"


@pytest.mark.parametrize(("method", "path"), [("post", ""), ("patch", "/{}"), ("delete", "/{}")])
def test_refuses_who_may_not_write(anonymous, as_staff, size, method, path):
    path = path.format(size.public_id)

    assert send(anonymous, method, path, BODY, "*").status_code == 401
    assert send(as_staff("catalog:read stock:write"), method, path, BODY, "*").status_code == 403


def test_refuses_a_bad_token(anonymous):
    assert anonymous.get(URL, headers={"Authorization": "Bearer a.b.c"}).status_code == 401


def test_asks_two_queries_however_many_there_are(anonymous, make_option, django_assert_num_queries):
    made = [make_option(f"o-{number}", *"abc") for number in range(30)]

    with django_assert_num_queries(2):
        anonymous.get(URL, {"limit": 100})
    with django_assert_num_queries(2):
        anonymous.get(f"{URL}/{made[0].public_id}")
