import pytest

UNKNOWN = "01999999-0000-7000-8000-000000000000"


def url(banner):
    return f"/api/v1/banners/{banner.public_id}"


def test_shows_a_live_banner_to_anybody(anonymous, make_banner):
    banner = make_banner()

    response = anonymous.get(url(banner))

    assert (response.status_code, response.json["id"]) == (200, str(banner.public_id))
    assert response.headers["Cache-Control"] == "public, max-age=30"
    assert response.headers["ETag"].startswith('"1-')


def test_answers_304_to_who_knows_it(anonymous, make_banner):
    banner = make_banner()
    tag = anonymous.get(url(banner)).headers["ETag"]

    assert anonymous.get(url(banner), headers={"If-None-Match": tag}).status_code == 304


def test_is_kept_no_longer_than_until_it_ends(anonymous, make_banner, hours):
    banner = make_banner(ends_at=hours(10 / 3600))

    kept = int(anonymous.get(url(banner)).headers["Cache-Control"].removeprefix("public, max-age="))

    assert 5 <= kept < 10


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_hides_what_is_not_live_from_everybody_else(anonymous, customer, editor, make_banner, status):
    banner = make_banner(status=status)

    assert anonymous.get(url(banner)).status_code == 404
    assert customer.get(url(banner)).json["code"] == "not-found"
    assert editor.get(url(banner)).json["state"] == status


@pytest.mark.parametrize("id", [UNKNOWN, "7", "x"])
def test_knows_no_other(editor, id):
    assert editor.get(f"/api/v1/banners/{id}").status_code == 404


def test_refuses_a_bad_token_and_an_unknown_parameter(anonymous, make_banner):
    banner = make_banner()

    assert anonymous.get(url(banner), headers={"Authorization": "Bearer a.b.c"}).status_code == 401
    assert anonymous.get(f"{url(banner)}?q=x").status_code == 400


def test_asks_two_queries(anonymous, make_banner, count_queries):
    banner = make_banner()

    with count_queries() as queries:
        anonymous.get(url(banner))

    assert len(queries) == 2
