import json

import pytest

from chassis.problems import CATALOGUE, DomainError, FieldError, code_for_status, encode, generic, problem


class SoldOut(DomainError):
    """Nothing is left."""

    code = "sold-out"
    status = 409


def test_writes_what_rfc_9457_and_the_api_ask_for():
    document = problem(404, "not-found", request_id="r-1")

    assert document == {
        "type": "/problems/not-found",
        "title": "Not found",
        "status": 404,
        "code": "not-found",
        "request_id": "r-1",
    }


def test_lists_what_is_wrong_with_the_input():
    error = FieldError("#/amount_minor", "min-value", "Must be at least 1.")

    document = problem(400, "invalid-input", request_id="r-1", errors=[error])

    assert document["errors"] == [
        {"pointer": "#/amount_minor", "code": "min-value", "detail": "Must be at least 1."}
    ]


def test_turns_a_fact_of_the_domain_into_a_document():
    document = SoldOut("Two are wanted, one is left.", service="variant").document("r-1")

    assert (document["code"], document["status"], document["title"]) == ("sold-out", 409, "Sold out")
    assert (document["detail"], document["service"]) == ("Two are wanted, one is left.", "variant")


@pytest.mark.parametrize("code", CATALOGUE)
def test_knows_status_and_title_of_every_generic_code(code):
    document = generic(code, request_id="r-1")

    assert 400 <= document["status"] < 600
    assert document["title"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "malformed-request"),
        (401, "authentication-required"),
        (418, "malformed-request"),
        (599, "internal-error"),
    ],
)
def test_finds_a_code_for_any_status(status, code):
    assert code_for_status(status) == code


def test_encodes_as_compact_json():
    assert json.loads(encode({"title": "Größe"})) == {"title": "Größe"}
