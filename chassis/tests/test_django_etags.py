from types import SimpleNamespace

import pytest
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from chassis.django import etags

DATA = {"name": "chairs"}
CACHE = "public, max-age=30"


class Thing(APIView):
    """A thing of version 7."""

    public = True
    data = DATA
    version: int | None = 7

    def get(self, request):
        return etags.answer(request, self.data, version=self.version, cache_control=CACHE)

    def patch(self, request):
        etags.expected(request).check(7)
        return Response(status=204, headers={"ETag": etags.etag(8)})


@pytest.fixture
def get():
    def get(tag=None, **attributes):
        headers = {} if tag is None else {"If-None-Match": tag}
        return Thing.as_view(**attributes)(APIRequestFactory().get("/thing", headers=headers))

    return get


@pytest.fixture
def patch():
    def patch(tag=None):
        headers = {} if tag is None else {"If-Match": tag}
        return Thing.as_view()(APIRequestFactory().patch("/thing", headers=headers))

    return patch


def test_tags_an_answer_with_the_version_and_a_digest(get):
    response = get()

    assert response.status_code == 200
    assert response.content == b'{"name":"chairs"}'
    assert response["Content-Type"] == "application/json"
    assert response["ETag"].startswith('"7-')


def test_answers_304_without_a_body_to_who_knows_it(get):
    known = get()

    response = get(known["ETag"])

    assert (response.status_code, response.content) == (304, b"")
    assert response["ETag"] == known["ETag"]
    assert response["Cache-Control"] == CACHE


@pytest.mark.parametrize("form", ["W/{}", '"other", {}', "{} ,", "*"])
def test_finds_a_known_tag_in_every_form(get, form):
    tag = get()["ETag"]

    assert get(form.format(tag)).status_code == 304


@pytest.mark.parametrize("tag", ["", '"7"', "7", '"a,b"', 'w/"7"', '"', "\xff"])
def test_answers_in_full_to_another_tag(get, tag):
    assert get(tag).status_code == 200


def test_tags_another_content_of_the_same_version_otherwise(get):
    assert get()["ETag"] != get(data={"name": "tables"})["ETag"]


def test_tags_a_list_by_its_content(get):
    assert "-" not in get(version=None)["ETag"]


def test_lets_only_an_answer_to_nobody_in_particular_be_shared(get):
    request = APIRequestFactory().get("/thing")
    known = SimpleNamespace(auth=object(), headers=request.headers)

    response = etags.answer(known, DATA, cache_control=CACHE)

    assert "Cache-Control" not in response.headers
    assert response["Vary"] == "Authorization"
    assert get()["Cache-Control"] == CACHE


def test_takes_a_change_of_what_was_read(get, patch):
    response = patch(get()["ETag"])

    assert response.status_code == 204
    assert response["ETag"] == '"8"'


@pytest.mark.parametrize("tag", ['"7"', '"6", "7"', "*", f'"7-{"0" * 32}"'])
def test_takes_a_change_of_the_current_version(patch, tag):
    assert patch(tag).status_code == 204


@pytest.mark.parametrize("tag", [None, "", "  ", ","])
def test_requires_a_tag_for_a_change(patch, tag):
    response = patch(tag)

    assert (response.status_code, response.data["code"]) == (428, "precondition-required")


@pytest.mark.parametrize("tag", ['"6"', 'W/"7"', "7", '"7-"', '"7-xyz"', f'"{"7" * 32}"', "\xff", '"*"'])
def test_refuses_a_change_of_anything_else_and_gives_the_current_tag(patch, tag):
    response = patch(tag)

    assert (response.status_code, response.data["code"]) == (412, "precondition-failed")
    assert response["ETag"] == '"7"'
