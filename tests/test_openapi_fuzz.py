"""Every operation of the merged document is sent right and wrong requests, and answers as it says."""

import json
import time
from pathlib import Path

import pytest
import schemathesis
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = json.loads((ROOT / "gateway" / "gateway" / "developers" / "openapi.json").read_text())
REQUESTS = 10
"""To each operation, half of them wrong on purpose; all are the same in every run."""

REFUSALS = ["400", "401", "403", "404", "405", "409", "413", "415", "422", "428", "429"]
TOKEN_SECONDS = 200
CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {
            "max-examples": REQUESTS,
            "deterministic": True,
            "no-shrink": True,
            "database": "none",
        },
        "phases": {"coverage": {"enabled": False}, "stateful": {"enabled": False}},
        # What is wrong may also be too large.
        "checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}},
    }
)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)
load_all_checks()
CONFORMANCE = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
]
CHECKED = CHECKS.get_by_names([*CONFORMANCE, "negative_data_rejection", "ignored_auth"])
DETAILS = [
    ("/api/v1/banners", "/api/v1/banners/{banner_id}"),
    ("/api/v1/brands", "/api/v1/brands/{public_id}"),
    ("/api/v1/categories", "/api/v1/categories/{public_id}"),
    ("/api/v1/categories", "/api/v1/categories/{public_id}/descendants"),
    ("/api/v1/options", "/api/v1/options/{public_id}"),
    ("/api/v1/products", "/api/v1/products/{public_id}"),
    ("/api/v1/variants", "/api/v1/variants/{public_id}"),
    ("/api/v1/wallet/transactions", "/api/v1/wallet/transactions/{public_id}"),
]


@pytest.fixture(scope="module")
def bearer_of(own_system):
    """The Authorization of a persona, whose token is renewed before it ends."""
    tokens = {}

    def bearer(persona):
        token, since = tokens.get(persona, ("", -TOKEN_SECONDS))
        if time.monotonic() - since >= TOKEN_SECONDS:
            token, since = own_system.log_in(persona)["access"], time.monotonic()
        tokens[persona] = token, since
        return f"Bearer {token}"

    return bearer


@SCHEMA.parametrize()
def test_answers_as_the_document_says(case, own_system, bearer_of):
    case.headers["Authorization"] = bearer_of("superuser")

    case.call_and_validate(base_url=own_system.origin, checks=CHECKED, session=own_system.http)


@pytest.mark.parametrize(("list_path", "path"), DETAILS)
def test_shows_what_there_is_as_the_document_says(own_system, bearer_of, list_path, path):
    persona = "shopper" if "wallet" in path else "superuser"
    headers = {"Authorization": bearer_of(persona)}
    listed = own_system.request("GET", list_path, headers=headers).json()["data"]
    name = path.partition("{")[2].partition("}")[0]

    case = SCHEMA[path]["GET"].Case(path_parameters={name: listed[0]["id"]}, headers=headers)
    answer = case.call_and_validate(
        base_url=own_system.origin, checks=CHECKS.get_by_names(CONFORMANCE), session=own_system.http
    )

    assert answer.status_code == 200
