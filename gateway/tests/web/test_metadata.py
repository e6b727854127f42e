import pytest

METADATA = "/.well-known/oauth-authorization-server"
DOCUMENTS = [METADATA, "/.well-known/jwks.json", "/api/openapi.json"]


def test_names_the_issuer_and_its_keys(anonymous, settings):
    said = anonymous.get(METADATA).json()

    # RFC 8414 section 3.3: it must be identical to the URL that the metadata were retrieved for.
    assert said["issuer"] == settings.ORIGIN
    assert said["jwks_uri"] == f"{settings.ORIGIN}/.well-known/jwks.json"
    assert anonymous.get("/.well-known/jwks.json").status_code == 200
    assert said["service_documentation"] == f"{settings.ORIGIN}/developers/"


def test_offers_no_grant_that_there_is_not(anonymous):
    said = anonymous.get(METADATA).json()

    assert (said["response_types_supported"], said["grant_types_supported"]) == ([], [])
    assert not {"authorization_endpoint", "token_endpoint", "registration_endpoint"} & said.keys()


def test_names_where_a_token_is_revoked_by_whoever_has_it(anonymous, settings):
    said = anonymous.get(METADATA).json()

    assert said["revocation_endpoint"] == f"{settings.ORIGIN}/api/v1/auth/revoke"
    # Without this a client would take it for client_secret_basic (RFC 8414 section 2).
    assert said["revocation_endpoint_auth_methods_supported"] == ["none"]
    form = {"content_type": "application/x-www-form-urlencoded"}
    assert anonymous.generic("POST", "/api/v1/auth/revoke", "token=a.b.c", **form).status_code == 200


def test_names_every_scope_of_users_and_none_of_services(anonymous):
    scopes = anonymous.get(METADATA).json()["scopes_supported"]

    assert scopes == sorted(scopes)
    assert {"account:write", "wallet:admin", "gateway:admin"} <= set(scopes)
    assert not {"wallet:settle", "stock:settle", "listings:write", "catalog:exists"} & set(scopes)


def test_may_be_cached_and_read_from_anywhere(anonymous):
    response = anonymous.get(METADATA)

    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("path", [METADATA, "/.well-known/jwks.json"])
def test_answers_a_known_etag_with_304(anonymous, path):
    etag = anonymous.get(path).headers["ETag"]

    response = anonymous.get(path, headers={"If-None-Match": f'"other", W/{etag}'})

    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == etag
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", DOCUMENTS)
def test_reads_no_if_match(anonymous, path):
    assert anonymous.get(path, headers={"If-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", DOCUMENTS)
def test_answers_whatever_type_is_accepted(anonymous, path):
    assert anonymous.get(path, headers={"Accept": "text/turtle"}).status_code == 200


def test_refuses_to_be_written(anonymous):
    response = anonymous.post(METADATA)

    assert (response.status_code, response.json()["code"]) == (405, "method-not-allowed")
