import re

import pytest
from django.db import InterfaceError, connection


@pytest.mark.django_db
def test_tells_how_each_part_is(shop, browser):
    shop.kill("banner")

    answer = browser.get("/status")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert page.count('<span class="dot"></span>Up') == 5
    assert page.count('<span class="dot"></span>Away') == 1


@pytest.mark.django_db
def test_refreshes_the_list_of_parts_alone(shop, browser):
    answer = browser.get("/status", headers={"HX-Request": "true", "HX-Target": "div#services"})

    assert answer.content.decode().lstrip().removeprefix("{# design #}").startswith('<div id="services"')


@pytest.mark.django_db
def test_asks_again_by_itself_and_can_be_paused_where_scripts_run(shop, browser):
    page = browser.get("/status").content.decode()

    assert 'hx-trigger="submit, every 15s"' in page
    assert re.search(r"<button[^>]* data-pause [^>]*hidden>Pause", page)


@pytest.mark.django_db
def test_says_that_its_own_database_is_away(shop, browser):
    with connection.execute_wrapper(_refuse):
        answer = browser.get("/status")

    assert answer.status_code == 200
    assert answer.content.decode().count('<span class="dot"></span>Away') == 1


@pytest.mark.django_db
def test_tells_a_part_that_is_not_ready_from_one_that_is_silent(shop, browser):
    shop["wallet"].answer("/readyz", {"status": "failed"}, 503)
    shop.kill("banner")

    page = browser.get("/status").content.decode()

    assert page.count("Not ready") == 1
    assert page.count("No answer") == 1


def _refuse(execute, *args):
    raise InterfaceError("The connection is closed.")


def test_remembers_a_theme(shop, browser):
    answer = browser.post("/theme", {"theme": "dark", "next": "/c/clothing/?sort=title"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/c/clothing/?sort=title")
    assert 'data-theme="dark"' in browser.get("/").content.decode()


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x", ""]
)
def test_leads_nowhere_but_home_from_the_theme(shop, browser, back):
    assert browser.post("/theme", {"theme": "dark", "next": back}).headers["Location"] == "/"


def test_remembers_no_theme_that_it_does_not_have(shop, browser):
    answer = browser.post("/theme", {"theme": '"><script>', "next": "/"})

    assert answer.status_code == 303
    assert not answer.cookies


def test_takes_no_theme_from_another_site(shop, browser):
    answer = browser.post("/theme", {"theme": "dark"}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403


@pytest.mark.parametrize("url", ["/", "/c/", "/search", "/p/tideline-hoodie", "/wallet", "/status"])
def test_takes_no_post_where_one_only_reads(shop, browser, url):
    assert browser.post(url).status_code == 405


def test_tells_robots_what_is_not_for_them(shop, browser):
    answer = browser.get("/robots.txt")

    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "Disallow: /wallet\n" in answer.content.decode()


def test_shows_its_parts_in_the_styleguide(shop, browser):
    answer = browser.get("/styleguide")

    assert answer.status_code == 200
    assert "Tideline Hoodie" in answer.content.decode()
