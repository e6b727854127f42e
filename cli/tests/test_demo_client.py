"""The seeding client on the wire: tokens that are renewed, answers that are told in one line."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mercato.accounts import Account
from mercato.api import Api, ApiRefused, Upload
from mercato.demo.posting import Posting, Staff
from mercato.demo.studio import open_studio
from mercato.personas import Login
from mercato.totp import Codes

LOGIN = Login("catalogue-editor", "catalogue-editor@example.com", "secret")
SECRET = "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"
TOKENS: dict[str, object] = {"access": "first", "refresh": "r1", "expires_in": 300}
Played = tuple[int, dict[str, object]]


class Edge:
    """Plays an edge: the next of the answers to a path, the last one for ever, and what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.bodies: list[dict[str, str]] = []
        self.bearers: list[str] = []
        self.answers: dict[str, list[Played]] = {}

    def play(self, path: str, *answers: Played) -> None:
        self.answers[f"/api/v1{path}"] = list(answers)

    def answer(self, path: str, bearer: str | None) -> Played:
        self.asked.append(path.removeprefix("/api/v1"))
        self.bearers.append(bearer or "")
        answers = self.answers[path]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def edge() -> Edge:
    edge = Edge()
    edge.play("/auth/login", (200, TOKENS))
    edge.play("/auth/refresh", (200, {"access": "second", "refresh": "r2", "expires_in": 300}))
    edge.play("/auth/logout", (204, {}))
    return edge


@pytest.fixture
def api(edge: Edge) -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if self.headers["Content-Type"] == "application/json":
                edge.bodies.append(json.loads(body))
            status, content = edge.answer(self.path.partition("?")[0], self.headers["Authorization"])
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if "retry_after" in content:
                self.send_header("Retry-After", str(content["retry_after"]))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Keeps quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Api(f"http://127.0.0.1:{server.server_port}", "http://localhost:8000")
    server.shutdown()
    thread.join()
    server.server_close()


def hang(api: Api, posted: list[bool]) -> None:
    account = Account(api, LOGIN)
    with open_studio(1) as studio:
        posting = Posting(Staff(account, account, account), studio, posted.append)
        posted.append(posting._upload("/products/1/media", Upload(b"png", {"alt": "A mug"})))


def test_logs_in_once_for_many_requests(api: Api, edge: Edge) -> None:
    edge.play("/brands", (200, {"data": [], "next_cursor": None}))

    with Account(api, LOGIN, clock=lambda: 0) as account:
        list(account.rows("/brands"))
        list(account.rows("/brands"))

    assert edge.asked == ["/auth/login", "/brands", "/brands", "/auth/logout"]


def test_comes_again_when_it_came_too_often(api: Api, edge: Edge) -> None:
    too_often: Played = (429, {"code": "too-many-requests", "retry_after": 0})
    edge.play("/brands", too_often, too_often, (201, {"id": 1}))

    assert api.send("POST", "/brands", json={"name": "x"}).content == {"id": 1}
    assert edge.asked == ["/brands"] * 3


@pytest.mark.parametrize(("retry_after", "times"), [(0, 10), (300, 1), ("soon", 1)])
def test_does_not_come_again_for_ever(api: Api, edge: Edge, retry_after: object, times: int) -> None:
    edge.play("/brands", (429, {"code": "too-many-requests", "retry_after": retry_after}))

    with pytest.raises(ApiRefused) as refused:
        api.send("GET", "/brands")
    assert (refused.value.status, refused.value.code) == (429, "too-many-requests")
    assert edge.asked == ["/brands"] * times


def test_logs_staff_in_with_a_code(api: Api, edge: Edge) -> None:
    login = Login("finance", "finance@example.com", "secret", totp_secret=SECRET)
    edge.play("/auth/login", (401, {"code": "wrong-otp"}), (200, TOKENS))

    api.login(login)

    codes = [asked["otp"] for asked in edge.bodies]
    assert len({*codes}) == 2
    assert {asked["email"] for asked in edge.bodies} == {"finance@example.com"}


def test_gives_up_when_no_code_is_right(api: Api, edge: Edge) -> None:
    api._codes = Codes(clock=lambda: 1e9, pause=lambda _: None)
    edge.play("/auth/login", (401, {"code": "wrong-otp"}))

    with pytest.raises(ApiRefused):
        api.login(Login("finance", "finance@example.com", "secret", totp_secret=SECRET))

    assert len(edge.asked) == 4


def test_renews_a_token_before_it_expires(api: Api, edge: Edge) -> None:
    now = iter([0.0, 241.0, 241.0])
    edge.play("/brands", (201, {"id": "1"}))
    account = Account(api, LOGIN, clock=lambda: next(now))

    account.access()
    account.post("/brands", {"name": "Tamberley"})

    assert edge.asked == ["/auth/login", "/auth/refresh", "/brands"]
    assert edge.bearers[-1] == "Bearer second"


def test_reads_every_page(api: Api, edge: Edge) -> None:
    edge.play(
        "/brands", (200, {"data": [1, 2], "next_cursor": "c"}), (200, {"data": [3], "next_cursor": None})
    )

    assert list(Account(api, LOGIN).rows("/brands")) == [1, 2, 3]


def test_finds_nothing_where_nothing_is(api: Api, edge: Edge) -> None:
    edge.play("/products", (404, {"code": "not-found"}))

    assert Account(api, LOGIN).find("/products", slug="nothing") is None


def test_tells_in_one_line_what_was_refused(api: Api, edge: Edge) -> None:
    error = {"pointer": "#/brand", "code": "unknown", "detail": "There is no brand with this id."}
    edge.play("/products", (422, {"code": "unknown-brand", "title": "Unknown brand", "errors": [error]}))

    with pytest.raises(ApiRefused) as refused:
        Account(api, LOGIN).post("/products", {})

    assert str(refused.value) == (
        "POST /products answered 422: Unknown brand; #/brand: There is no brand with this id."
    )
    assert (refused.value.status, refused.value.code) == (422, "unknown-brand")


def test_takes_an_upload_for_done_that_was_only_answered_late(
    api: Api, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mercato.demo.posting._PAUSES", (0.0, 0.0))
    edge.play("/products/1/media", (504, {"code": "timeout"}), (409, {"code": "media-exists"}))
    posted: list[bool] = []

    hang(api, posted)

    assert posted == [True]
    assert edge.asked.count("/products/1/media") == 2


def test_gives_up_when_an_upload_stays_unanswered(
    api: Api, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mercato.demo.posting._PAUSES", (0.0, 0.0))
    edge.play("/products/1/media", (503, {"code": "unavailable", "detail": "Try again."}))

    with pytest.raises(ApiRefused, match="503: Try again"):
        hang(api, [])

    assert edge.asked.count("/products/1/media") == 3
