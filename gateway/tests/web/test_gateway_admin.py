import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client

from gateway.accounts.models import User
from gateway.tokens.models import RefreshFamily

pytestmark = pytest.mark.django_db

PATHS = [
    "/admin/gateway/",
    "/admin/gateway/accounts/",
    "/admin/gateway/accounts/user/",
    "/admin/gateway/auth/group/",
    "/admin/gateway/tokens/refreshfamily/",
]


@pytest.fixture
def root(make_user):
    return make_user(groups=["superuser"])


@pytest.fixture
def admin(browse_as, root):
    return browse_as(root)


def page_of(user):
    return f"/admin/gateway/accounts/user/{user.pk}/change/"


def save(client, user, groups, **more):
    ids = [str(one.pk) for one in Group.objects.filter(name__in=groups)]
    return client.post(page_of(user), {"groups": ids, "is_active": "on"} | more)


@pytest.mark.parametrize("path", PATHS)
def test_opens_to_those_who_look_after_the_gateway(admin, path):
    answer = admin.get(path)

    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("group", ["customer", "finance", "support", "catalogue-editor"])
def test_is_closed_to_everybody_else(browse_as, make_user, group, path):
    answer = browse_as(make_user(groups=[group])).get(path)

    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", [*PATHS, "/admin/gateway/login/", "/admin/gateway/nothing/here/"])
def test_leads_strangers_to_the_log_in_and_back(browser, path):
    answer = browser.get(path)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/account/login/?next={path}"


def test_leads_to_the_log_out_of_the_gateway(admin):
    assert admin.post("/admin/gateway/logout/").headers["Location"] == "/account/logout/"


def test_leads_to_the_one_form_for_a_password(admin):
    answer = admin.get("/admin/gateway/password_change/")

    assert answer.headers["Location"] == "/account/password/change/"
    assert admin.get("/admin/gateway/password_change/done/").status_code == 404


def test_has_no_field_for_a_password_and_nothing_inline(admin, shopper):
    page = admin.get(page_of(shopper)).content.decode()

    assert not re.search(r'type="password"|name="password|argon2', page)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)(?![^>]*json)", page)


def test_finds_users_by_email_and_public_id(admin, shopper, make_user):
    other = make_user()

    by_email = admin.get("/admin/gateway/accounts/user/", {"q": shopper.email[:12]}).content.decode()
    by_id = admin.get("/admin/gateway/accounts/user/", {"q": str(shopper.public_id)}).content.decode()

    assert shopper.email in by_email
    assert shopper.email in by_id
    assert other.email not in by_id


@pytest.mark.parametrize("query", ["q=%F0%9F%8E%89", "groups__id__exact=x", "is_active__exact=9", "o=99"])
def test_survives_any_question(admin, query):
    assert admin.get(f"/admin/gateway/accounts/user/?{query}").status_code in {200, 302}


@pytest.mark.parametrize("query", ["email__exact=%00", "public_id__startswith=%00", "is_active__exact=%00"])
def test_refuses_what_no_text_of_the_database_has(admin, query):
    assert admin.get(f"/admin/gateway/accounts/user/?{query}").status_code == 400


def test_filters_users(admin, make_user):
    clerk, closed = make_user(groups=["finance"]), make_user(is_active=False)

    page = admin.get("/admin/gateway/accounts/user/", {"is_active__exact": "0"}).content.decode()

    assert closed.email in page
    assert clerk.email not in page


def test_changes_groups_and_ends_every_session_at_once(admin, make_user, log_in, post):
    clerk = make_user(groups=["finance"])
    refresh = log_in(clerk)["refresh"]
    theirs = Client(headers={"Accept": "text/html"})
    theirs.force_login(clerk)

    answer = save(admin, clerk, ["marketing"])

    assert answer.status_code == 302, answer.content
    assert list(clerk.groups.values_list("name", flat=True)) == ["marketing"]
    assert theirs.get("/account/password/change/").status_code == 302
    assert post("refresh", refresh=refresh).status_code == 401


def test_deactivates_and_lets_in_again(admin, shopper, post, password):
    save(admin, shopper, ["customer"], is_active="")
    assert post("login", email=shopper.email, password=password).status_code == 401

    save(admin, shopper, ["customer"])

    assert post("login", email=shopper.email, password=password).status_code == 200


def test_ends_no_session_when_nothing_was_changed(admin, shopper):
    before = User.objects.values("credentials_changed_at").get(pk=shopper.pk)

    save(admin, shopper, ["customer"])

    assert User.objects.values("credentials_changed_at").get(pk=shopper.pk) == before


def test_takes_no_other_field(admin, shopper):
    before = User.objects.values("email", "password", "is_superuser").get(pk=shopper.pk)

    save(admin, shopper, ["customer"], email="eve@example.com", password="x", is_superuser="on")

    assert User.objects.values("email", "password", "is_superuser").get(pk=shopper.pk) == before


@pytest.mark.parametrize(
    ("groups", "more"), [([], {}), (["customer"], {}), (["superuser"], {"is_active": ""})]
)
def test_keeps_the_last_one_who_may_do_everything(admin, root, groups, more):
    answer = save(admin, root, groups, **more)

    assert answer.status_code == 200
    assert "Somebody must remain who may do everything" in answer.content.decode()
    root.refresh_from_db()
    assert root.is_active
    assert root.groups.filter(name="superuser").exists()


def test_notes_who_changed_what(admin, root, shopper):
    save(admin, shopper, ["finance"])

    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_repr) == (root, str(shopper.public_id))
    assert "groups" in entry.get_change_message().lower()


@pytest.mark.parametrize(
    "path",
    [
        "/admin/gateway/accounts/user/add/",
        "/admin/gateway/auth/group/add/",
        "/admin/gateway/tokens/refreshfamily/add/",
    ],
)
def test_adds_nothing(admin, path):
    assert admin.get(path).status_code == 403
    assert admin.post(path, {"email": "eve@example.com"}).status_code == 403


def test_deletes_nobody(admin, shopper):
    answer = admin.post(f"/admin/gateway/accounts/user/{shopper.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 403
    assert User.objects.filter(pk=shopper.pk).exists()


def test_ends_the_session_of_an_api_client(admin, root, log_in, post, shopper):
    refresh = log_in(shopper)["refresh"]
    family = RefreshFamily.objects.get()

    admin.post("/admin/gateway/tokens/refreshfamily/", {"action": "end", "_selected_action": [family.pk]})

    assert post("refresh", refresh=refresh).status_code == 401
    assert RefreshFamily.objects.get().revoked_because == "staff"
    assert LogEntry.objects.get().user == root


def test_refuses_a_form_without_its_token(root, shopper):
    browser = Client(enforce_csrf_checks=True, headers={"Accept": "text/html"})
    browser.force_login(root)

    assert save(browser, shopper, ["finance"]).status_code == 403
    assert list(shopper.groups.values_list("name", flat=True)) == ["customer"]


def test_keeps_the_number_of_queries(admin, make_user, django_assert_num_queries):
    [make_user() for _ in range(5)]

    with django_assert_num_queries(6):
        admin.get("/admin/gateway/accounts/user/")
