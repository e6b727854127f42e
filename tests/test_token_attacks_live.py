"""Every attack on a token over the wire, at the edge and at the services' own ports."""

import re
import socket
from uuid import uuid4

import pytest
from services import SERVICES

from chassis.problems import CHALLENGE, REFUSED_CHALLENGE
from chassis.testing.attacks import ATTACKS, Answer, Parts

READ = "/api/v1/wallet"
WRITE = "/api/v1/wallet/adjustments"
CHALLENGES = {
    Answer.REFUSED: re.escape(REFUSED_CHALLENGE),
    Answer.ANONYMOUS: re.escape(CHALLENGE),
    Answer.FORBIDDEN: r'Bearer realm="mercato", error="insufficient_scope", scope="[a-z:]+( [a-z:]+)*"',
}
REFUSAL = {
    "type": "/problems/invalid-token",
    "title": "The access token is invalid",
    "status": 401,
    "code": "invalid-token",
}
BAD_AT_THE_EDGE = [case for case in ATTACKS if case.edge is Answer.REFUSED]
NOBODY = {
    "no Authorization": (),
    "an empty Authorization": (("Authorization", ""),),
    "an Authorization of white space": (("Authorization", " \t "),),
    "a cookie": (("Cookie", "__Host-sid=a; sid=a; access_token=a"),),
}
BAD_AT_A_SERVICE = [case for case in ATTACKS if case.service is Answer.REFUSED]
FETCHING = [case for case in ATTACKS if case.id in {"A24", "A25", "A23"}]
ANYTHING_LIKE_A_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8}")


def name_of(service):
    return service.audience


each_service = pytest.mark.parametrize("service", SERVICES, ids=name_of)
each_public_service = pytest.mark.parametrize(
    "service", [service for service in SERVICES if service.is_public], ids=name_of
)
each_attack = pytest.mark.parametrize("case", ATTACKS, ids=lambda case: case.label)
every_row = pytest.mark.case(
    "A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16 A17 A18 A19 A20 A21 A22",
    "A23 A24 A25 A26 A27 A28 A29 A30 A31 A32 A33",
    "B1 B2 B3 B4 B5 B6 B7 B9 B10 B11 B12 D1 D2 D3",
)


def request(port, parts, read=READ, write=WRITE):
    """The parts as a request, byte for byte as they are given."""
    target = write if parts.body else read
    target += f"{'&' if '?' in target else '?'}{parts.query}" if parts.query else ""
    fields = [("Authorization", value) for value in parts.authorization] + list(parts.headers)
    fields += [("Content-Length", str(len(parts.body)))] if parts.body else []
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    method = "POST" if parts.body else "GET"
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n{lines}\r\n"
    return head.encode("latin-1") + parts.body


def send(connect, port, parts, **paths):
    with connect(port) as wire:
        return wire.ask(request(port, parts, **paths))


def assert_answer(reply, answer):
    if answer is Answer.ACCEPTED:
        assert reply.status == 200
    elif answer is Answer.UNREADABLE:
        assert reply.status in {400, 431}
        assert reply.body == b""
    else:
        assert (reply.status, reply.code) == answer.value
        assert re.fullmatch(CHALLENGES.get(answer, ""), reply.header("www-authenticate") or "")
        assert ANYTHING_LIKE_A_TOKEN.findall(str(reply)) == []


def assert_all_alike(replies):
    """Refused with one body and the same fields."""
    bodies = [{k: v for k, v in reply.json().items() if k != "request_id"} for reply in replies]
    assert bodies == [REFUSAL] * len(replies)
    assert {reply.header("www-authenticate") for reply in replies} == {REFUSED_CHALLENGE}
    assert len({tuple(sorted(name for name, _ in reply.fields)) for reply in replies}) == 1


@every_row
@each_service
@each_attack
def test_answers_at_a_service_as_it_must(system, connect, service, case):
    parts = case.build(system.aim(service.audience, scope=service.reads))

    reply = send(
        connect, system.process(service.process)["port"], parts, read=service.read, write=service.write
    )

    if parts.query and service.is_public:
        # Whoever hides a token in a query is nobody, and asks for what is not known.
        assert (reply.status, reply.code) == (400, "unknown-parameter")
    else:
        assert_answer(reply, case.service)


@pytest.mark.case("D6")
@each_public_service
@pytest.mark.parametrize("case", BAD_AT_A_SERVICE, ids=lambda case: case.label)
def test_is_refused_where_nobody_needs_a_token(system, connect, service, case):
    parts = case.build(system.aim(service.audience, scope=service.reads))

    reply = send(
        connect, system.process(service.process)["port"], parts, read=service.path, write=service.write
    )

    assert_answer(reply, Answer.REFUSED)


@pytest.mark.case("D6")
@each_public_service
@pytest.mark.parametrize("case", BAD_AT_THE_EDGE, ids=lambda case: case.label)
def test_is_refused_at_the_edge_where_nobody_needs_a_token(system, connect, service, case):
    parts = case.build(system.aim("gateway", scope=service.reads))

    assert_answer(send(connect, system.port, parts, read=service.path, write=service.write), Answer.REFUSED)


@pytest.mark.case("D7")
@each_public_service
@pytest.mark.parametrize("headers", NOBODY.values(), ids=NOBODY)
def test_shows_nobody_in_particular_what_is_public(system, connect, service, headers):
    for port in (system.port, system.process(service.process)["port"]):
        reply = send(connect, port, Parts(headers=headers), read=service.path)

        assert reply.status == 200
        assert "public" in reply.header("cache-control")


@every_row
@each_attack
def test_answers_at_the_edge_as_it_must(system, connect, case):
    reply = send(connect, system.port, case.build(system.aim("gateway")))

    assert_answer(reply, case.edge)


def test_tells_nobody_at_the_edge_why_a_token_is_bad(system, connect):
    replies = [send(connect, system.port, case.build(system.aim("gateway"))) for case in BAD_AT_THE_EDGE]

    assert_all_alike(replies)


@each_service
def test_tells_nobody_at_a_service_why_a_token_is_bad(system, connect, service):
    port = system.process(service.process)["port"]

    # An aim of its own for each: what is a second too old when it is aimed may be too late to be.
    replies = [
        send(connect, port, case.build(system.aim(service.audience)), read=service.read, write=service.write)
        for case in BAD_AT_A_SERVICE
    ]

    assert_all_alike(replies)


@pytest.mark.case("A23", "A24", "A25")
@each_service
@pytest.mark.parametrize("case", FETCHING, ids=lambda case: case.label)
def test_fetches_no_key(system, connect, case, service):
    ports = {"gateway": system.port, service.audience: system.process(service.process)["port"]}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        for audience, port in ports.items():
            parts = case.build(system.aim(audience, listener=url))
            send(connect, port, parts, read=service.read)

        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.case("B9")
def test_refuses_an_access_token_as_a_refresh_token(system):
    access = system.log_in("shopper")["access"]

    response = system.request("POST", "/api/v1/auth/refresh", json={"refresh": access})

    assert (response.status_code, response.json()["code"]) == (401, "invalid-token")


@pytest.mark.case("B9")
def test_refuses_a_refresh_token_as_an_access_token(system):
    refresh = system.log_in("shopper")["refresh"]

    response = system.request("GET", READ, token=refresh)

    assert (response.status_code, response.json()["code"]) == (401, "invalid-token")


@pytest.mark.parametrize(("path", "status"), [("login", 200), ("refresh", 401), ("logout", 401)])
def test_reads_no_authorization_header_where_tokens_are_given_out(system, path, status):
    known = {name: system.logins["shopper"][name] for name in ("email", "password")}
    body = known if path == "login" else {"refresh": "a.b.c"}

    plain = system.request("POST", f"/api/v1/auth/{path}", json=body)
    with_bearer = system.request("POST", f"/api/v1/auth/{path}", json=body, token="a.b.c")

    assert (plain.status_code, with_bearer.status_code) == (status, status)


@pytest.mark.case("D3", "D8")
@each_service
def test_writes_no_token_into_a_log_a_metric_or_an_answer(system, eventually, service):
    pair = system.log_in("shopper")
    scope = f"{service.reads} {service.writes}"
    forged = [system.aim(audience, scope=scope).token for audience in ("gateway", service.audience)]
    ports = (system.port, system.process(service.process)["port"])

    answers = [reveal(system, port, service, token) for token in (*pair_of(pair), *forged) for port in ports]

    assert_nowhere(system, eventually, answers)


@pytest.mark.case("D8")
def test_writes_no_token_that_is_given_out_or_spoiled_into_a_log_a_metric_or_an_answer(
    system, connect, eventually
):
    pair = system.log_in("shopper")

    answers = [reveal_at_log_in(system, token) for token in (*pair_of(pair), system.aim("gateway").token)]
    spoiled = [case.build(system.aim("gateway")) for case in ATTACKS if case.id != "A33"]
    answers += [str(send(connect, system.port, parts)) for parts in spoiled]

    assert_nowhere(system, eventually, answers)


def test_writes_no_password_or_key_into_a_log(system, eventually):
    passwords = [login["password"] for login in system.logins.values()]
    system.request("POST", "/api/v1/auth/login", json={"email": passwords[0], "password": passwords[1]})
    mark_the_logs(system, eventually)

    written = "\n".join(system.log_lines())

    assert [secret for secret in (*system.passwords, *system.secrets) if secret in written] == []


def assert_nowhere(system, eventually, answers):
    """No token in these answers, nor by now in a log or a metric of any process."""
    mark_the_logs(system, eventually)

    assert ANYTHING_LIKE_A_TOKEN.findall("".join(answers)) == []
    assert ANYTHING_LIKE_A_TOKEN.findall("\n".join(system.log_lines())) == []
    assert ANYTHING_LIKE_A_TOKEN.findall(metrics(system)) == []


def pair_of(pair):
    return pair["access"], pair["refresh"]


def reveal(system, port, service, token):
    """Put a token everywhere that a program could be tempted to write down or to repeat."""
    url = f"http://localhost:{port}"
    places = {
        "Referer": f"{url}/?access_token={token}",
        "User-Agent": token,
        "Cookie": f"jwt={token}",
        "Idempotency-Key": token[:255],
        "If-Match": f'"{token}"',
        "Accept": token,
        # Granian closes where a service answers before it has read the body, and does not say so.
        "Connection": "close",
    }
    good = {"Authorization": f"Bearer {token}", "Connection": "close"}
    body = {"sub": token, "title": token}
    # Whoever sends an unknown member is told its name; nobody else may read it.
    system.http.post(f"{url}{service.write}", headers=good, json=body | {token: 1}, timeout=10)
    return told(
        system,
        url,
        ("GET", f"{service.path}?access_token={token}", {"headers": places}),
        ("GET", f"{service.path}?cursor={token}", {"headers": good}),
        ("GET", f"{service.path}/{token}", {"headers": places | good}),
        ("GET", f"/{token}", {"headers": places}),
        ("POST", service.write, {"headers": places | good, "json": body}),
        ("POST", service.write, {"headers": good | {"Idempotency-Key": uuid4().hex}, "json": body}),
    )


def reveal_at_log_in(system, token):
    """The same where tokens are given out, which is where a program expects one in a body."""
    good = {"Authorization": f"Bearer {token}", "Connection": "close"}
    return told(
        system,
        system.origin,
        ("POST", "/api/v1/auth/refresh", {"headers": good, "json": {"refresh": f"{token}a", token: 1}}),
        ("POST", "/api/v1/auth/login", {"headers": good, "json": {"email": token, "password": token}}),
        ("POST", "/api/v1/auth/logout", {"headers": good, "data": token}),
        ("POST", "/api/v1/auth/logout", {"headers": good, "json": {"refresh": f"{token}a"}}),
    )


def told(system, url, *requests):
    """What is answered to these requests, which are all wrong in some way."""
    answers = [system.http.request(method, url + path, timeout=10, **rest) for method, path, rest in requests]
    assert {answer.status_code // 100 for answer in answers} == {4}
    return "".join(f"{answer.headers}{answer.text}" for answer in answers)


def mark_the_logs(system, eventually):
    """Wait until requests that are made now are in the logs of all processes, and with them all before."""
    mark = uuid4().hex
    token = system.log_in("shopper")["access"]
    answers = [
        system.request("GET", service.path, token=token, headers={"X-Request-ID": mark})
        for service in SERVICES
    ]
    assert {answer.status_code for answer in answers} == {200}
    logs = [system.data_dir / "logs" / f"{name}.log" for name in system.programs]
    eventually(lambda: all(mark in log.read_text() for log in logs))


def metrics(system):
    answers = [
        system.http.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
        for port in system.metrics_ports.values()
    ]
    assert all(answer.status_code == 200 and "# TYPE mercato_" in answer.text for answer in answers)
    return "".join(answer.text for answer in answers)
