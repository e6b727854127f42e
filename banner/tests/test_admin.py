import io
import re
import time
from html import unescape

import pytest
from sqlalchemy import select

from banner.extensions import db
from banner.models import Banner
from chassis.web import ADMIN_POLICY

ROOT = "/admin/banners/"
LIST = f"{ROOT}banner/"
NEW = f"{LIST}new/"
PAGES = [ROOT, LIST, NEW, f"{ROOT}log/", f"{ROOT}placement/", f"{ROOT}static/admin/css/bootstrap4/admin.css"]
FORM = {
    "placement_code": "home_hero",
    "title": "Winter",
    "subtitle": "",
    "cta_text": "",
    "target_kind": "page",
    "target_ref": "winter",
    "theme": "light",
    "background": "#ffffff",
    "foreground": "#111111",
    "starts_at": "",
    "ends_at": "",
    "priority": "50",
    "status": "published",
    "audience": "all",
    "category_ids": "",
    "locale": "",
    "seen": "",
}


@pytest.fixture
def admin(as_staff):
    """Staff with the admin's scope."""
    return as_staff("banner:admin")


def edit_url(banner):
    return f"{LIST}edit/?id={banner.id}"


def token(client, url):
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(url).text)[1]


def post(client, url, **changes):
    return client.post(url, data=FORM | {"csrf_token": token(client, url)} | changes)


@pytest.fixture
def stored(app_context):
    """Reads a banner as it is now."""
    return lambda: db.session.scalar(select(Banner).execution_options(populate_existing=True))


def test_lists_banners(admin, make_banner):
    make_banner(title="<b>Winter</b>")

    response = admin.get(LIST)

    assert response.status_code == 200
    assert "&lt;b&gt;Winter&lt;/b&gt;" in response.text
    assert "Home, large" in response.text
    assert response.headers["Cache-Control"] == "no-store"


def test_shows_a_picture_in_the_list(admin, editor, make_banner, png):
    form = {"file": (io.BytesIO(png()), "x.png"), "alt": 'A "hill"'}
    url = f"/api/v1/banners/{make_banner().public_id}/image"
    image = editor.put(url, data=form, content_type="multipart/form-data", headers={"If-Match": "*"}).json[
        "image"
    ]

    text = admin.get(LIST).text

    assert f'<img src="{image["renditions"][0]["url"]}" alt="A &#34;hill&#34;" width="160">' in text


def test_finds_by_title(admin, make_banner):
    make_banner(title="Winter")
    make_banner(title="Spring")

    text = admin.get(f"{LIST}?search=spr").text

    assert ("Spring" in text, "Winter" in text) == (True, False)


def test_adds_a_banner(admin, stored, owner):
    response = post(admin, NEW, starts_at="2030-01-01T09:00", category_ids="")

    banner = stored()
    assert response.status_code == 302
    assert (banner.title, banner.starts_at.isoformat()) == ("Winter", "2030-01-01T09:00:00+00:00")
    owner.execute("SELECT action, subject FROM log_entry ORDER BY id DESC LIMIT 1")
    assert owner.fetchall() == [("create", admin.sub)]


def test_changes_and_archives_a_banner(admin, make_banner, stored):
    banner = make_banner()

    response = post(admin, edit_url(banner), title="Spring", status="archived", seen="1")

    assert response.status_code == 302
    assert (stored().title, stored().status, stored().version) == ("Spring", "archived", 2)


def test_shows_in_the_form_what_is_stored(admin, make_banner, hours, stored):
    banner = make_banner(categories=[make_banner().public_id], starts_at=hours(-1), locale="de")
    page = admin.get(edit_url(banner)).text

    shown = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', page))

    assert shown["starts_at"] == f"{banner.starts_at:%Y-%m-%dT%H:%M:%S}"
    assert (shown["locale"], shown["seen"]) == ("de", "1")
    assert str(banner.categories[0]) in page


def test_makes_no_version_of_no_change(admin, make_banner, hours, stored):
    banner = make_banner(starts_at=hours(-1))

    post(admin, edit_url(banner), seen="1", starts_at=f"{banner.starts_at:%Y-%m-%dT%H:%M:%S}")

    assert stored().version == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": " "}, "This field may not be blank."),
        ({"target_ref": "//evil"}, "This is not the reference of a target of kind page."),
        ({"foreground": "#eeeeee"}, "The contrast is"),
        ({"ends_at": "2020-01-01T00:00", "starts_at": "2020-01-01T00:00"}, "It must be after starts_at."),
        ({"category_ids": "x"}, "Must be a valid UUID."),
        ({"priority": "101"}, "less than or equal to 100"),
        ({"priority": "x"}, "Not a valid integer value"),
        ({"starts_at": "tomorrow"}, "Not a valid datetime value"),
        ({"placement_code": "nowhere"}, "Not a valid choice"),
    ],
)
def test_says_what_is_wrong_and_keeps_what_was_typed(admin, stored, changes, message):
    response = post(admin, NEW, subtitle="typed", **changes)

    assert response.status_code == 200
    assert message in unescape(response.text)
    assert 'value="typed"' in response.text
    assert stored() is None


def test_does_not_undo_what_somebody_else_changed_meanwhile(admin, make_banner, stored):
    banner = make_banner()
    post(admin, edit_url(banner), title="Theirs", seen="1")

    response = post(admin, edit_url(banner), title="Mine", seen="1")

    assert "changed since it was read" in response.text
    assert stored().title == "Theirs"


def test_refuses_a_form_without_its_token(admin, make_banner, stored):
    banner = make_banner()
    admin.get(edit_url(banner))

    admin.post(edit_url(banner), data=FORM | {"title": "Spring", "seen": "1"})

    assert stored().title == "Winter"


def test_refuses_the_token_of_another_browser(admin, as_staff, make_banner, stored):
    banner, other = make_banner(), as_staff("banner:admin")

    admin.get(edit_url(banner))
    admin.post(
        edit_url(banner),
        data=FORM | {"title": "Spring", "seen": "1", "csrf_token": token(other, edit_url(banner))},
    )

    assert stored().title == "Winter"


@pytest.mark.case("K6")
def test_asks_for_a_recent_log_in_before_a_write(as_staff, make_banner, stored):
    banner = make_banner()
    editor = as_staff("banner:admin", auth_time=int(time.time()) - 1000)

    response = post(editor, edit_url(banner), title="Spring", seen="1")

    assert (response.status_code, response.json["code"]) == (401, "step-up-required")
    assert stored().title == "Winter"


def test_names_its_cookie_and_keeps_it_to_itself(admin):
    cookie = admin.get(NEW).headers.getlist("Set-Cookie")

    assert len(cookie) == 1
    assert cookie[0].startswith("banner_csrftoken=")
    assert {part.strip() for part in cookie[0].split(";")[1:]} == {
        "HttpOnly",
        "Path=/admin/banners/",
        "SameSite=Lax",
    }


def test_sets_no_cookie_elsewhere(anonymous, make_banner):
    assert "Set-Cookie" not in anonymous.get("/api/v1/banners").headers


@pytest.mark.parametrize("page", [*PAGES[1:-1], "edit"])
def test_needs_no_inline_script(admin, make_banner, page):
    banner = make_banner()

    response = admin.get(edit_url(banner) if page == "edit" else page)

    assert response.status_code == 200
    scripts = re.findall(r"<script\b([^>]*)>(.*?)</script>", response.text, re.DOTALL)
    assert [body for attributes, body in scripts if "src=" not in attributes or body.strip()] == []
    assert re.findall(r"\son[a-z]+=|style=|(?:src|href)=\"https?:", response.text) == []
    assert response.headers["Content-Security-Policy"] == ADMIN_POLICY
    assert "unsafe" not in ADMIN_POLICY


def test_the_first_page_is_the_list(admin):
    response = admin.get(ROOT)

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/banners/banner/")


def test_leads_back_to_the_gateway(admin):
    page = admin.get("/admin/banners/banner/").text

    assert re.findall(r'href="(/staff|/|/account/logout/)"', page) == ["/staff", "/", "/account/logout/"]
    assert "Banners · Mercato" in page


@pytest.mark.parametrize("words", ["published", "Home, large"])
def test_finds_banners_by_their_state_and_place(admin, make_banner, words):
    make_banner(title="Boots", placement="home_hero", status="published")

    assert "Boots" in admin.get("/admin/banners/banner/", query_string={"search": words}).text


@pytest.mark.parametrize(
    "path",
    [
        "delete/?id={id}",
        "action/",
        "ajax/update/",
        "export/csv/",
        "edit/?id={id}&title=x",
        "details/?id={id}",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_changes_nothing_but_by_its_form(admin, make_banner, stored, path, method):
    banner = make_banner()
    form = {"action": "delete", "rowid": str(banner.id), "id": str(banner.id), "title": "x"}

    admin.open(f"{LIST}{path.format(id=banner.id)}", method=method, data=form if method == "POST" else None)

    assert (stored().title, stored().version) == ("Winter", 1)


@pytest.mark.parametrize("table", ["log", "placement"])
@pytest.mark.parametrize("path", ["new/", "edit/?id=1", "delete/?id=1"])
def test_only_shows_the_log_and_the_places(admin, table, path):
    response = admin.post(f"{ROOT}{table}/{path}", data={"id": "1"})

    assert response.status_code in {302, 405}


@pytest.mark.parametrize("table", ["banner", "log", "placement"])
@pytest.mark.parametrize(
    "query",
    [
        *("page=-1", "page=99999999999999", "page=" + "9" * 30, "page=x", "page=%C2%B2", "page=%00"),
        *("page_size=-1", "page_size=" + "9" * 30, "search=%00", "search=%FF", "search=" + "x" * 4000),
        *("sort=-1", "sort=999", "sort=" + "9" * 30, "sort=0&desc=x", "sort=0&desc=" + "9" * 30),
        *("flt0_0=x", "flt%00=x", "url=http://[", "x=%00", "title=%00", "id=%C2%B2"),
    ],
)
def test_answers_any_query_of_a_list(admin, make_banner, table, query):
    make_banner()

    assert admin.get(f"{ROOT}{table}/?{query}").status_code in {200, 302, 400, 404}


@pytest.mark.parametrize("query", ["url=http://[", "url=%00", "x=%00", "url=//evil.example/", "id=%00"])
def test_answers_any_query_of_a_form(admin, make_banner, query):
    response = admin.get(f"{edit_url(make_banner())}&{query}")

    assert response.status_code in {200, 400}
    assert "evil.example" not in response.text


@pytest.mark.parametrize("seen", ["²", "9" * 30, "-1", "x", ""])
def test_takes_a_version_that_nobody_has_seen_for_another(admin, make_banner, stored, seen):
    response = post(admin, edit_url(make_banner()), title="Spring", seen=seen)

    assert "changed since it was read" in response.text
    assert stored().title == "Winter"


@pytest.mark.parametrize(
    "changes",
    [
        *(
            {name: "\0"}
            for name in ("title", "target_ref", "category_ids", "locale", "starts_at", "priority")
        ),
        *({"priority": text} for text in ("²", "9" * 30, "-1")),
        *({"starts_at": text} for text in ("0000-00-00T00:00", "9999-12-31T23:59:59", "0001-01-01T00:00")),
    ],
)
def test_answers_any_form(admin, stored, changes):
    assert post(admin, NEW, **changes).status_code in {200, 302, 400}


@pytest.mark.parametrize("id", ["0", "x", "1' OR 1=1", "²", "-1", "9" * 19, "9" * 30, "1,1", ""])
def test_knows_no_other(admin, id):
    assert admin.get(f"{LIST}edit/?id={id}").status_code == 302


def test_serves_its_own_static_files(admin):
    response = admin.get(PAGES[-1])

    assert (response.status_code, response.mimetype) == (200, "text/css")
    response.close()


def test_answers_an_unknown_path_with_a_problem(admin):
    assert admin.get(f"{ROOT}nowhere").json["code"] == "not-found"


@pytest.mark.parametrize("page", [*PAGES, f"{ROOT}nowhere"])
def test_refuses_the_anonymous(anonymous, page):
    assert anonymous.get(page).json["code"] == "authentication-required"
    assert anonymous.get(page, headers={"Authorization": "Bearer a.b.c"}).json["code"] == "invalid-token"


@pytest.mark.parametrize("page", [*PAGES, f"{ROOT}nowhere"])
def test_refuses_everybody_else(as_staff, as_user, page):
    assert as_user("banner:admin").get(page).status_code == 403
    assert as_staff("banner:write").get(page).json["code"] == "forbidden"


@pytest.mark.parametrize("page", [NEW, f"{LIST}delete/", f"{LIST}action/"])
def test_lets_only_staff_with_the_scope_post(anonymous, as_user, page):
    assert anonymous.post(page, data=FORM).status_code == 401
    assert as_user("banner:admin").post(page, data=FORM).status_code == 403


def test_asks_few_queries_however_long_the_list_is(admin, make_banner, count_queries):
    [make_banner() for _ in range(5)]

    with count_queries() as queries:
        admin.get(LIST)

    assert len(queries) <= 3
