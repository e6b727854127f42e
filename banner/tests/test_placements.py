URL = "/api/v1/placements"


def test_lists_the_places_to_anybody(anonymous):
    response = anonymous.get(URL)

    assert response.status_code == 200
    assert response.json["data"][0] == {
        "code": "announcement",
        "name": "Announcement bar",
        "max_items": 1,
    }
    assert {place["code"] for place in response.json["data"]} == {
        "home_hero",
        "home_strip",
        "category_top",
        "cart_side",
        "announcement",
    }
    assert response.json["next_cursor"] is None


def test_may_be_kept_by_caches(anonymous):
    response = anonymous.get(URL)

    assert response.headers["Cache-Control"] == "public, max-age=30, stale-while-revalidate=300"
    assert anonymous.get(URL, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


def test_refuses_a_bad_token_and_an_unknown_parameter(anonymous):
    assert anonymous.get(URL, headers={"Authorization": "Bearer a.b.c"}).status_code == 401
    assert anonymous.get(f"{URL}?q=x").json["code"] == "unknown-parameter"


def test_is_only_read(editor):
    response = editor.post(URL, json={})

    assert (response.status_code, response.json["code"]) == (405, "method-not-allowed")


def test_asks_one_query(anonymous, count_queries):
    with count_queries() as queries:
        anonymous.get(URL)

    assert len(queries) == 1
