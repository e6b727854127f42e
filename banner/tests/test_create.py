import pytest

URL = "/api/v1/banners"
UNKNOWN = "01999999-0000-7000-8000-000000000000"
BANNER = {"placement": "home_hero", "title": "Winter", "target": {"kind": "product", "ref": "wool-hat"}}


def errors(response):
    return {(error["pointer"], error["code"]) for error in response.json["errors"]}


def test_adds_a_banner(editor):
    response = editor.post(URL, json=BANNER)

    row = response.json
    assert response.status_code == 201
    assert (row["status"], row["state"], row["href"]) == ("draft", "draft", "/p/wool-hat")
    assert response.headers["ETag"] == '"1"'
    assert response.headers["Location"] == f"{URL}/{row['id']}"
    assert editor.get(response.headers["Location"]).json == row


def test_answers_with_what_it_added_though_somebody_deletes_it_at_once(editor, deleted_after):
    deleted_after("create_banner")

    response = editor.post(URL, json=BANNER)

    assert (response.status_code, response.json["title"]) == (201, "Winter")
    assert response.json["placement"] == "home_hero"


def test_keeps_every_member(editor):
    given = BANNER | {
        "subtitle": "Warm",
        "cta_text": "Look",
        "theme": "dark",
        "background": "#000000",
        "foreground": "#ffffff",
        "starts_at": "2030-01-01T10:00:00+01:00",
        "ends_at": "2030-02-01T09:00:00Z",
        "priority": 0,
        "status": "published",
        "audience": "guest",
        "categories": [UNKNOWN],
        "locale": "de-AT",
    }

    row = editor.post(URL, json=given).json

    assert {name: row[name] for name in given} == given | {"starts_at": "2030-01-01T09:00:00Z"}
    assert row["state"] == "scheduled"


@pytest.mark.parametrize(
    ("kind", "ref", "href"),
    [
        ("product", "wool-hat", "/p/wool-hat"),
        ("category", "shoes/boots", "/c/shoes/boots/"),
        ("search", "wool & hat", "/search?q=wool%20%26%20hat"),
        ("search", "//evil.example/?a#b", "/search?q=%2F%2Fevil.example%2F%3Fa%23b"),
        ("page", "about/us", "/about/us"),
        ("external", "https://partner.example/x?y=1", "https://partner.example/x?y=1"),
        ("external", "https://partner.example", "https://partner.example"),
    ],
)
def test_says_where_a_target_leads(editor, kind, ref, href):
    response = editor.post(URL, json=BANNER | {"target": {"kind": kind, "ref": ref}})

    assert response.json["href"] == href


@pytest.mark.parametrize(
    ("kind", "ref"),
    [
        ("product", "a/b"),
        ("product", "../x"),
        ("category", "/x"),
        ("category", "x/"),
        ("page", "/evil.example"),
        ("page", "\\evil.example"),
        ("page", "javascript:alert(1)"),
        ("external", "http://partner.example/"),
        ("external", "https://partner.example:8443/"),
        ("external", "https://a@partner.example/"),
        ("external", "https://partner.example\\@evil.example/"),
        ("external", "https://partner.example?x"),
        ("external", "https://partner.example/a b"),
        ("external", "//partner.example/"),
        ("external", "javascript://partner.example/"),
        ("external", "https://PARTNER.example/"),
    ],
)
def test_refuses_a_reference_of_the_wrong_form(editor, kind, ref):
    response = editor.post(URL, json=BANNER | {"target": {"kind": kind, "ref": ref}})

    assert (response.status_code, response.json["code"]) == (400, "invalid-input")
    assert errors(response) == {("#/target/ref", "invalid")}


@pytest.mark.case("E16")
@pytest.mark.parametrize("host", ["evil.example", "partner.example.evil.example", "sub.partner.example"])
def test_refuses_a_host_that_is_not_allowed(editor, host):
    response = editor.post(URL, json=BANNER | {"target": {"kind": "external", "ref": f"https://{host}/"}})

    assert (response.status_code, errors(response)) == (400, {("#/target/ref", "host-not-allowed")})


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"title": " "}, "#/title", "blank"),
        ({"title": None}, "#/title", "null"),
        ({"title": "x" * 121}, "#/title", "max-length"),
        ({"title": 7}, "#/title", "invalid"),
        ({"subtitle": "a\u0000"}, "#/subtitle", "invalid"),
        ({"target": "x"}, "#/target", "invalid"),
        ({"target": {"kind": "page"}}, "#/target/ref", "required"),
        ({"target": {"kind": "x", "ref": "x"}}, "#/target/kind", "invalid-choice"),
        ({"theme": "blue"}, "#/theme", "invalid-choice"),
        ({"background": "#FFF"}, "#/background", "invalid"),
        ({"foreground": "#777777"}, "#/foreground", "contrast-too-low"),
        ({"starts_at": "2030-01-01T00:00:00"}, "#/starts_at", "invalid"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "#/starts_at", "invalid"),
        ({"starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-02T00:00:00Z"}, "#/ends_at", "invalid"),
        ({"priority": 101}, "#/priority", "max-value"),
        ({"priority": -1}, "#/priority", "min-value"),
        ({"priority": "5"}, "#/priority", "invalid"),
        ({"priority": True}, "#/priority", "invalid"),
        ({"status": "live"}, "#/status", "invalid-choice"),
        ({"audience": "staff"}, "#/audience", "invalid-choice"),
        ({"categories": "x"}, "#/categories", "not-a-list"),
        ({"categories": [UNKNOWN, "x"]}, "#/categories/1", "invalid"),
        ({"categories": [UNKNOWN] * 101}, "#/categories", "max-length"),
        ({"locale": "german"}, "#/locale", "invalid"),
        ({"image": {}}, "#/image", "unknown"),
        ({"version": 2}, "#/version", "unknown"),
    ],
)
def test_points_at_what_is_wrong(editor, wrong, pointer, code):
    response = editor.post(URL, json=BANNER | wrong)

    assert (response.status_code, response.json["code"]) == (400, "invalid-input")
    assert errors(response) == {(pointer, code)}
    assert editor.get(URL).json["data"] == []


def test_points_at_everything_that_is_missing(editor):
    response = editor.post(URL, json={})

    assert errors(response) == {
        ("#/placement", "required"),
        ("#/title", "required"),
        ("#/target", "required"),
    }


def test_refuses_a_place_that_there_is_not(editor):
    response = editor.post(URL, json=BANNER | {"placement": "nowhere"})

    assert (response.status_code, response.json["code"]) == (422, "unknown-placement")
    assert errors(response) == {("#/placement", "unknown")}


def test_writes_down_who_did_it(editor, owner):
    id = editor.post(URL, json=BANNER).json["id"]

    owner.execute("SELECT action, subject, members FROM log_entry WHERE banner = %s ORDER BY id", [id])
    assert owner.fetchall() == [("create", editor.sub, ["placement", "target", "title"])]


def test_refuses_the_anonymous(anonymous):
    assert anonymous.post(URL, json=BANNER).status_code == 401


def test_refuses_everybody_else(customer, as_staff):
    assert customer.post(URL, json=BANNER).status_code == 403
    assert as_staff("banner:read banner:admin").post(URL, json=BANNER).json["code"] == "insufficient-scope"


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [("{", "application/json", 400), ("a=1", "application/x-www-form-urlencoded", 415)],
)
def test_refuses_a_body_it_cannot_read(editor, body, media_type, status):
    assert editor.post(URL, data=body, content_type=media_type).status_code == status


def test_asks_four_queries(editor, count_queries):
    with count_queries() as queries:
        editor.post(URL, json=BANNER)

    assert len(queries) == 4
