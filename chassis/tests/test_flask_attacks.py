"""Every attack on a token against a Flask service, as granian would hand the request over."""

import io
import json

import pytest
from flask_site import make_app

from chassis.problems import CHALLENGE, REFUSED_CHALLENGE
from chassis.testing.attacks import ATTACKS, Aim, Answer

# The HTTP server itself answers the others, and shows them to nobody.
SEEN = [case for case in ATTACKS if case.service is not Answer.UNREADABLE]
REFUSED = [case for case in SEEN if case.service is Answer.REFUSED]
CHALLENGES = {
    Answer.REFUSED: REFUSED_CHALLENGE,
    Answer.ANONYMOUS: CHALLENGE,
    Answer.FORBIDDEN: 'Bearer realm="mercato", error="insufficient_scope"',
}


@pytest.fixture(scope="module")
def site():
    return make_app()


@pytest.fixture
def aim(forge):
    return Aim(forge, "wallet", secrets=("only-for-the-tests-of-the-chassis-itself",))


def environ(parts, path):
    fields = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in parts.headers}
    # Granian joins what stands twice, takes the space around a value, and drops one that is not ASCII.
    values = [value.strip(" ") for value in parts.authorization if value.isascii()]
    if values:
        fields["HTTP_AUTHORIZATION"] = ",".join(values)
    length, media_type = str(len(parts.body)), fields.pop("HTTP_CONTENT_TYPE", "application/json")
    return {
        "REQUEST_METHOD": "POST" if parts.body else "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": media_type if parts.body else "",
        "CONTENT_LENGTH": length,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost:8000",
        "wsgi.input": io.BytesIO(parts.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        **fields,
    }


def send(site, parts, path="/api/v1/whoami"):
    answered = {}

    def start_response(status, headers, _exc_info=None):
        answered.update(status=int(status[:3]), headers={name.lower(): value for name, value in headers})

    body = b"".join(site(environ(parts, path), start_response))
    return answered["status"], answered["headers"], json.loads(body)


@pytest.mark.case(
    "A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16 A17 A18 A19 A20 A21 A22",
    "A23 A24 A25 A26 A27 A28 A29 A30 A31 A32 A33",
    "B1 B2 B3 B4 B5 B6 B7 B9 B10 B11 B12 D1 D2 D3",
)
@pytest.mark.parametrize("case", SEEN, ids=lambda case: case.label)
def test_answers_as_it_must(site, aim, case):
    status, headers, body = send(site, case.build(aim))

    assert (status, body.get("code", "")) == case.service.value
    assert headers.get("www-authenticate", "").startswith(CHALLENGES.get(case.service, ""))


@pytest.mark.case("D6")
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.label)
def test_is_refused_where_nobody_needs_a_token(site, aim, case):
    status, _, body = send(site, case.build(aim), "/api/v1/public")

    assert (status, body["code"]) == Answer.REFUSED.value


def test_tells_nobody_why_a_token_is_bad(site, forge):
    # Each with the time of its own making: some cases are a second away from being good.
    answers = [send(site, case.build(Aim(forge, "wallet"))) for case in REFUSED]

    assert {tuple(sorted(headers)) for _, headers, _ in answers} == {tuple(sorted(answers[0][1]))}
    assert {tuple(body) for _, _, body in answers} == {("type", "title", "status", "code", "request_id")}
