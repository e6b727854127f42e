import pytest


def url(banner):
    return f"/api/v1/banners/{banner.public_id}/go"


@pytest.mark.parametrize(
    ("kind", "ref", "place"),
    [
        ("page", "winter", "/winter"),
        ("search", "//evil.example", "/search?q=%2F%2Fevil.example"),
        ("external", "https://partner.example/x", "https://partner.example/x"),
    ],
)
def test_leads_to_the_stored_target(anonymous, make_banner, kind, ref, place):
    response = anonymous.get(url(make_banner(target={"kind": kind, "ref": ref})))

    assert (response.status_code, response.headers["Location"]) == (302, place)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


def test_leads_nowhere_that_is_not_live(anonymous, editor, make_banner, hours):
    draft, later = make_banner(status="draft"), make_banner(starts_at=hours(1))
    archived, ended = make_banner(status="archived"), make_banner(ends_at=hours(-1))

    statuses = {anonymous.get(url(banner)).status_code for banner in (draft, later, archived, ended)}

    assert statuses == {404}
    assert editor.get(url(draft)).status_code == 404


def test_leads_to_no_host_that_is_no_longer_allowed(anonymous, make_banner, migrated_app, monkeypatch):
    banner = make_banner(target={"kind": "external", "ref": "https://partner.example/x"})

    monkeypatch.setitem(migrated_app.config, "EXTERNAL_HOSTS", [])

    assert anonymous.get(url(banner)).status_code == 404


@pytest.mark.parametrize("query", ["to=https://evil.example", "next=//evil.example"])
def test_takes_no_advice_where_to_lead(anonymous, make_banner, query):
    response = anonymous.get(f"{url(make_banner())}?{query}")

    assert (response.status_code, response.json["code"]) == (400, "unknown-parameter")


def test_refuses_a_bad_token(anonymous, make_banner):
    response = anonymous.get(url(make_banner()), headers={"Authorization": "Bearer a.b.c"})

    assert response.status_code == 401


def test_asks_one_query(anonymous, make_banner, count_queries):
    banner = make_banner()

    with count_queries() as queries:
        anonymous.get(url(banner))

    assert len(queries) == 1
