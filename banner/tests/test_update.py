import json
import threading

import pytest


def url(banner):
    return f"/api/v1/banners/{banner.public_id}"


def patch(client, banner, body, tag='"1"', content_type="application/merge-patch+json"):
    headers = {} if tag is None else {"If-Match": tag}
    return client.patch(url(banner), data=json.dumps(body), content_type=content_type, headers=headers)


@pytest.fixture
def winter(make_banner):
    return make_banner(subtitle="Cold")


def test_changes_what_it_is_told_and_nothing_else(editor, winter):
    response = patch(editor, winter, {"title": "Spring", "status": "archived"})

    row = response.json
    assert response.status_code == 200
    assert (row["title"], row["state"], row["subtitle"]) == ("Spring", "archived", "Cold")
    assert (response.headers["ETag"], row["version"]) == ('"2"', 2)
    assert row["updated_at"] > row["created_at"]


def test_answers_with_what_it_wrote_though_somebody_deletes_it_at_once(editor, winter, deleted_after):
    deleted_after("update_banner")

    response = patch(editor, winter, {"title": "Spring", "placement": "home_strip"})

    assert (response.status_code, response.headers["ETag"]) == (200, '"2"')
    assert (response.json["title"], response.json["placement"]) == ("Spring", "home_strip")


def test_takes_the_tag_of_what_was_read(editor, winter):
    tag = editor.get(url(winter)).headers["ETag"]

    assert patch(editor, winter, {"title": "Spring"}, tag).status_code == 200


def test_takes_away_for_null(editor, make_banner, hours):
    winter = make_banner(subtitle="Cold", ends_at=hours(1), locale="de", categories=[make_banner().public_id])

    row = patch(editor, winter, dict.fromkeys(["subtitle", "ends_at", "locale", "categories"])).json

    assert (row["subtitle"], row["ends_at"], row["locale"], row["categories"]) == ("", None, "", [])


def test_merges_a_target(editor, winter):
    assert patch(editor, winter, {"target": {"ref": "spring"}}).json["href"] == "/spring"
    assert patch(editor, winter, {"target": {"kind": "product"}}, '"2"').json["href"] == "/p/spring"


def test_moves_to_another_place(editor, winter):
    assert patch(editor, winter, {"placement": "cart_side"}).json["placement"] == "cart_side"


def test_takes_plain_json_too(editor, winter):
    assert patch(editor, winter, {"title": "x"}, content_type="application/json").status_code == 200


def test_makes_no_version_of_no_change(editor, winter):
    response = patch(editor, winter, {"title": winter.title})

    assert (response.status_code, response.headers["ETag"]) == (200, '"1"')


def test_requires_a_tag_before_it_looks_at_the_body(editor, winter):
    response = patch(editor, winter, {"title": 7}, tag=None)

    assert (response.status_code, response.json["code"]) == (428, "precondition-required")


def test_refuses_a_stale_tag_and_gives_the_current_one(editor, winter):
    patch(editor, winter, {"title": "Theirs"})

    response = patch(editor, winter, {"title": "Mine"})

    assert (response.status_code, response.json["code"]) == (412, "precondition-failed")
    assert response.headers["ETag"] == '"2"'
    assert editor.get(url(winter)).json["title"] == "Theirs"


def test_lets_one_of_two_who_saw_the_same_win(as_staff, winter):
    clients = [as_staff("banner:write") for _ in range(2)]
    answers = []
    threads = [
        threading.Thread(target=lambda c=client: answers.append(patch(c, winter, {"title": c.sub})))
        for client in clients
    ]

    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert sorted(answer.status_code for answer in answers) == [200, 412]


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"title": None}, "#/title", "null"),
        ({"status": "live"}, "#/status", "invalid-choice"),
        ({"target": {"ref": "//x"}}, "#/target/ref", "invalid"),
        ({"target": {"kind": "external"}}, "#/target/ref", "invalid"),
        ({"target": {"kind": None}}, "#/target/kind", "null"),
        ({"background": "#111111"}, "#/foreground", "contrast-too-low"),
        ({"starts_at": "2100-01-01T00:00:00Z"}, "#/ends_at", "invalid"),
        ({"color": 1}, "#/color", "unknown"),
    ],
)
def test_points_at_what_is_wrong(editor, make_banner, hours, wrong, pointer, code):
    banner = make_banner(ends_at=hours(1))

    response = patch(editor, banner, wrong)

    assert (response.status_code, response.json["code"]) == (400, "invalid-input")
    assert [(each["pointer"], each["code"]) for each in response.json["errors"]] == [(pointer, code)]
    assert editor.get(url(banner)).json["version"] == 1


def test_writes_down_who_changed_what(editor, winter, owner):
    patch(editor, winter, {"title": "Spring", "subtitle": winter.subtitle})

    owner.execute(
        "SELECT action, subject, members FROM log_entry WHERE banner = %s ORDER BY id",
        [str(winter.public_id)],
    )
    assert owner.fetchall()[-1] == ("update", editor.sub, ["title"])


def test_knows_no_other(editor, winter):
    response = editor.patch(
        "/api/v1/banners/01999999-0000-7000-8000-000000000000", json={}, headers={"If-Match": "*"}
    )

    assert (response.status_code, response.json["code"]) == (404, "not-found")


def test_refuses_everybody_else(anonymous, customer, as_staff, winter):
    assert patch(anonymous, winter, {}).status_code == 401
    assert patch(customer, winter, {}).status_code == 403
    assert patch(as_staff("banner:read"), winter, {}).status_code == 403


def test_asks_four_queries(editor, winter, count_queries):
    with count_queries() as queries:
        patch(editor, winter, {"title": "Spring"})

    assert len(queries) == 4
