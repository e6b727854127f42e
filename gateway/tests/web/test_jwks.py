import json

import jwt

JWKS = "/.well-known/jwks.json"


def test_publishes_the_access_keys_alone(anonymous, forge):
    response = anonymous.get(JWKS)

    assert response.status_code == 200
    assert [key["kid"] for key in response.json()["keys"]] == [forge.access.kid]
    assert response.json()["keys"][0].keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_may_be_cached_and_read_from_anywhere(anonymous):
    response = anonymous.get(JWKS)

    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in response.headers


def test_answers_a_known_etag_with_304(anonymous):
    etag = anonymous.get(JWKS).headers["ETag"]

    response = anonymous.get(JWKS, headers={"If-None-Match": etag})

    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["ETag"] == etag
    assert response.headers["Cache-Control"] == "public, max-age=300"


def test_answers_head(anonymous):
    response = anonymous.head(JWKS)

    assert response.status_code == 200
    assert response.content == b""


def test_answers_whatever_type_is_accepted(anonymous):
    response = anonymous.get(JWKS, headers={"Accept": "application/jwk-set+json"})

    assert response.status_code == 200


def test_refuses_to_be_written(anonymous):
    response = anonymous.post(JWKS)

    assert response.status_code == 405
    assert response.headers["Content-Type"] == "application/problem+json"


def test_lets_an_outsider_verify_a_login_token(anonymous, forge, settings):
    key = jwt.PyJWKSet.from_json(json.dumps(anonymous.get(JWKS).json())).keys[0]

    claims = jwt.decode(forge.mint("wallet"), key, audience="wallet", issuer=settings.ORIGIN)

    assert claims["token_type"] == "access"


def test_asks_no_database(anonymous):
    # Without the django_db mark any query would fail.
    assert anonymous.get(JWKS).status_code == 200
