import re


def test_says_what_this_is(anonymous):
    response = anonymous.get("/")

    assert response.status_code == 200
    assert "/api/v1/auth/login" in response.content.decode()


def test_has_no_dead_link_and_nothing_inline(anonymous):
    page = anonymous.get("/").content.decode()

    links = re.findall(r'(?:href|src)="([^"]+)"', page)

    assert links == ["/.well-known/jwks.json"]
    assert anonymous.get(links[0]).status_code == 200
    assert not re.search(r"<style|<script|style=|\son\w+=", page)


def test_knows_no_other_page(anonymous):
    response = anonymous.get("/index.html")

    assert response.status_code == 404
    assert response.json()["code"] == "not-found"


def test_refuses_a_cross_site_post_with_a_problem(anonymous):
    anonymous.handler.enforce_csrf_checks = True

    response = anonymous.post("/")

    assert response.status_code == 403
    assert response.json()["code"] == "forbidden"
