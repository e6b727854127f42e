import pytest

URL = "/api/v1/banners"
UNKNOWN = "01999999-0000-7000-8000-000000000000"
OTHER = "01999999-0000-7000-8000-000000000001"


def titles(response):
    return [row["title"] for row in response.json["data"]]


def zulu(moment):
    return moment.isoformat().replace("+00:00", "Z")


def test_lists_what_is_live_to_anybody(anonymous, make_banner):
    banner = make_banner(subtitle="All of it", categories=[UNKNOWN])

    response = anonymous.get(URL)

    assert response.status_code == 200
    assert response.json == {
        "data": [
            {
                "id": str(banner.public_id),
                "placement": "home_hero",
                "title": "Winter",
                "subtitle": "All of it",
                "cta_text": "",
                "target": {"kind": "page", "ref": "winter"},
                "href": "/winter",
                "theme": "light",
                "background": "#ffffff",
                "foreground": "#111111",
                "image": None,
                "starts_at": None,
                "ends_at": None,
                "priority": 50,
                "status": "published",
                "state": "live",
                "audience": "all",
                "categories": [UNKNOWN],
                "locale": "",
                "version": 1,
                "created_at": zulu(banner.created_at),
                "updated_at": zulu(banner.updated_at),
            }
        ],
        "next_cursor": None,
    }


def test_orders_by_priority(anonymous, make_banner):
    make_banner(title="low", priority=1)
    make_banner(title="high", priority=99)
    make_banner(title="high too", priority=99)

    assert titles(anonymous.get(URL)) == ["high", "high too", "low"]


def test_hides_what_is_not_live(anonymous, customer, make_banner, hours):
    make_banner(status="draft")
    make_banner(status="archived")
    make_banner(starts_at=hours(1))
    make_banner(ends_at=hours(-1))

    assert titles(anonymous.get(URL)) == titles(customer.get(URL)) == []


def test_shows_everything_to_who_may_read_it(editor, make_banner, hours):
    make_banner(title="draft", status="draft")
    make_banner(title="later", starts_at=hours(1))

    response = editor.get(URL)

    assert titles(response) == ["draft", "later"]
    assert [row["state"] for row in response.json["data"]] == ["draft", "scheduled"]
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("state", ["draft", "scheduled", "live", "ended", "archived"])
def test_finds_a_state(editor, make_banner, hours, state):
    make_banner(title="draft", status="draft")
    make_banner(title="archived", status="archived")
    make_banner(title="scheduled", starts_at=hours(1))
    make_banner(title="live", starts_at=hours(-1), ends_at=hours(1))
    make_banner(title="ended", ends_at=hours(-1))

    assert titles(editor.get(URL, query_string={"state": state})) == [state]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"placement": "cart_side"}, ["cart"]),
        ({"audience": "guest"}, ["cart", "guest", "one", "de"]),
        ({"category": UNKNOWN}, ["cart", "guest", "one", "de"]),
        ({"category": OTHER}, ["cart", "guest", "de"]),
        ({"locale": "de-AT"}, ["cart", "guest", "one", "de"]),
        ({"locale": "fr"}, ["cart", "guest", "one"]),
        ({"audience": "customer", "locale": "fr", "placement": "home_hero"}, ["one"]),
    ],
)
def test_finds_what_suits(anonymous, make_banner, query, expected):
    make_banner(title="cart", placement="cart_side")
    make_banner(title="guest", audience="guest")
    make_banner(title="one", categories=[UNKNOWN])
    make_banner(title="de", locale="de")

    assert titles(anonymous.get(URL, query_string=query)) == expected


def test_gives_a_batch_of_ids_in_one_answer(anonymous, make_banner):
    wanted = [str(make_banner().public_id) for _ in range(25)]
    make_banner()

    response = anonymous.get(URL, query_string={"ids": ",".join(wanted)})

    assert [row["id"] for row in response.json["data"]] == wanted
    assert response.json["next_cursor"] is None


def test_continues_after_the_cursor(anonymous, make_banner):
    made = [make_banner(title=f"b{number}", priority=number // 2).title for number in range(5)]
    first = anonymous.get(URL, query_string={"limit": 3})

    second = anonymous.get(URL, query_string={"limit": 3, "cursor": first.json["next_cursor"]})

    assert titles(first) + titles(second) == ["b4", "b2", "b3", "b0", "b1"]
    assert len(made) == 5
    assert second.json["next_cursor"] is None


def test_gives_as_many_as_a_place_shows(anonymous, make_banner):
    make_banner(placement="announcement")
    make_banner(placement="announcement")

    assert len(titles(anonymous.get(f"{URL}?placement=announcement"))) == 1
    assert len(titles(anonymous.get(f"{URL}?placement=announcement&limit=9"))) == 2


def test_may_be_shared_by_caches_when_nobody_in_particular_asks(anonymous, customer):
    response = anonymous.get(URL)

    assert response.headers["Cache-Control"] == "public, max-age=30"
    assert "Authorization" in response.headers["Vary"]
    assert customer.get(URL).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("change", [{"starts_at": 10}, {"starts_at": -10, "ends_at": 10}])
def test_is_kept_no_longer_than_until_the_next_start_or_end(anonymous, make_banner, hours, change):
    make_banner(**{name: hours(seconds / 3600) for name, seconds in change.items()})

    kept = int(anonymous.get(URL).headers["Cache-Control"].removeprefix("public, max-age="))

    assert 5 <= kept < 10


def test_is_kept_as_ever_when_what_changes_is_of_another_place(anonymous, make_banner, hours):
    make_banner(placement="cart_side", starts_at=hours(10 / 3600))
    make_banner(status="draft", starts_at=hours(10 / 3600))

    assert anonymous.get(f"{URL}?placement=home_hero").headers["Cache-Control"] == "public, max-age=30"


def test_answers_304_until_something_changes(anonymous, make_banner):
    make_banner()
    tag = anonymous.get(URL).headers["ETag"]

    unchanged = anonymous.get(URL, headers={"If-None-Match": tag})
    make_banner()
    changed = anonymous.get(URL, headers={"If-None-Match": tag})

    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert changed.status_code == 200


def test_hides_what_leads_to_a_host_that_is_no_longer_allowed(
    anonymous, make_banner, migrated_app, monkeypatch
):
    make_banner(target={"kind": "external", "ref": "https://partner.example/x"})
    shown = titles(anonymous.get(URL))

    monkeypatch.setitem(migrated_app.config, "EXTERNAL_HOSTS", [])

    assert (shown, titles(anonymous.get(URL))) == (["Winter"], [])


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
        ("placement=nowhere", "placement"),
        ("placement=", "placement"),
        ("placement=%00", "placement"),
        ("audience=all", "audience"),
        ("category=7", "category"),
        ("locale=german", "locale"),
        ("state=gone", "state"),
        ("ids=", "ids"),
        ("ids=1,2", "ids"),
        ("ids=" + ",".join([UNKNOWN] * 101), "ids"),
    ],
)
def test_points_at_a_wrong_parameter(editor, query, parameter):
    response = editor.get(f"{URL}?{query}")

    assert (response.status_code, response.json["code"]) == (400, "invalid-input")
    assert response.json["errors"][0]["pointer"] == f"?{parameter}"


@pytest.mark.parametrize("query", ["color=red", "limit=1&limit=2"])
def test_refuses_a_parameter_it_does_not_know(anonymous, query):
    response = anonymous.get(f"{URL}?{query}")

    assert (response.status_code, response.json["code"]) == (400, "unknown-parameter")


def test_asks_who_filters_by_state_for_a_token(anonymous):
    response = anonymous.get(f"{URL}?state=live")

    assert (response.status_code, response.json["code"]) == (401, "authentication-required")


def test_refuses_the_filter_by_state_without_the_scope(customer):
    response = customer.get(f"{URL}?state=live")

    assert (response.status_code, response.json["code"]) == (403, "insufficient-scope")


def test_refuses_a_bad_token(anonymous):
    assert anonymous.get(URL, headers={"Authorization": "Bearer a.b.c"}).status_code == 401


def test_asks_as_many_queries_for_a_full_page_as_for_one(anonymous, make_banner, count_queries):
    [make_banner() for _ in range(30)]

    with count_queries() as queries:
        anonymous.get(f"{URL}?limit=100&placement=home_hero")

    assert len(queries) == 3
