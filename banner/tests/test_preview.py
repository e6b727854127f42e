import pytest

URL = "/api/v1/banners/preview"


def titles(response):
    return [row["title"] for row in response.json["data"]]


def preview(client, **query):
    return client.get(URL, query_string={"placement": "home_hero"} | query)


def test_shows_what_will_be_live(editor, make_banner, hours):
    make_banner(title="now", ends_at=hours(1))
    make_banner(title="later", starts_at=hours(1))

    response = preview(editor, at=hours(2).isoformat())

    assert titles(preview(editor)) == ["now"]
    assert titles(response) == ["later"]
    assert response.json["data"][0]["state"] == "live"


def test_shows_as_many_as_the_place_does(editor, make_banner):
    [make_banner(priority=number) for number in range(7)]

    assert [row["priority"] for row in preview(editor).json["data"]] == [6, 5, 4, 3, 2]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"placement": "nowhere"}, "placement"),
        ({"at": "tomorrow"}, "at"),
        ({"at": "2030-01-01T00:00:00"}, "at"),
    ],
)
def test_points_at_a_wrong_parameter(editor, query, parameter):
    response = preview(editor, **query)

    assert response.status_code == 400
    assert response.json["errors"][0]["pointer"] == f"?{parameter}"


def test_needs_a_place(editor):
    assert editor.get(URL).json["errors"][0]["pointer"] == "?placement"


def test_refuses_everybody_else(anonymous, customer):
    assert preview(anonymous).status_code == 401
    assert preview(customer).status_code == 403


def test_asks_two_queries(editor, make_banner, count_queries):
    make_banner()

    with count_queries() as queries:
        preview(editor)

    assert len(queries) == 2
