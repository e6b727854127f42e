"""A dead or hanging service takes a part of a page away, never the page, and never much time."""

import re
import signal
from contextlib import contextmanager
from html.parser import HTMLParser

import psutil
import pytest
import requests
from forms import shared_cookies

LONGEST_SECONDS = 2.5
PAGES = (
    *("/", "/c/", "/c/clothing/", "/search", "/search?q=hoodie", "/p/tideline-hoodie"),
    *("/wallet", "/account", "/staff", "/status", "/account/login/"),
    *("/developers/", "/developers/reference/", "/problems/", "/problems/conflict", "/api/openapi.json"),
)
SERVICES = ("banner", "category", "product", "variant", "wallet")
# Where there is nothing to show without the one service that knows it. Never 404: it is not gone.
MAY_BE_UNAVAILABLE = {
    "category": {"/c/", "/c/clothing/"},
    "product": {"/c/clothing/", "/search?q=hoodie", "/p/tideline-hoodie"},
}
NEVER_KEPT = {"/search?q=hoodie", "/wallet", "/account", "/staff", "/status"}
SORRY = re.compile("away|unavailable|cannot|try again", re.IGNORECASE)


class Words(HTMLParser):
    """The words of a page, as they are read out."""

    def __init__(self, page):
        super().__init__()
        self.words = []
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self._silent += tag in {"script", "style", "template"}

    def handle_endtag(self, tag):
        self._silent -= tag in {"script", "style", "template"}

    def handle_data(self, data):
        if not self._silent:
            self.words.append(data)


def words_of(response):
    return re.sub(r"\s+", " ", " ".join(Words(response.text).words))


@contextmanager
def signaled(system, service, *, stop, resume):
    """The processes of a service after a signal, until they get another."""
    leader = psutil.Process(system.process(service)["pid"])
    family = [leader, *leader.children(recursive=True)]
    for process in family:
        process.send_signal(stop)
    try:
        yield
    finally:
        for process in family:
            process.send_signal(resume)


@pytest.fixture(params=SERVICES)
def service(request):
    return request.param


@pytest.fixture
def recovered(own_system, eventually):
    """The system with every page whole: a service that hung in an earlier test is not asked again at once."""
    eventually(lambda: all(answer.ok for answer in walk(own_system).values()), seconds=30)
    return own_system


@pytest.fixture
def hanging(recovered, service):
    """The system with a service that takes connections and never answers."""
    with signaled(recovered, service, stop=signal.SIGSTOP, resume=signal.SIGCONT):
        yield recovered


def walk(system):
    """What somebody gets to see who may see every page, the wallet's too."""
    session = requests.Session()
    session.headers["Accept"] = "text/html"
    session.cookies.update(shared_cookies(system, "superuser"))
    return {path: session.get(f"{system.origin}{path}", timeout=10) for path in PAGES}


def assert_degraded(answers, may_be_unavailable):
    """Every page came in time, and only those without anything to show say that they cannot."""
    slow = {
        path: answer.elapsed
        for path, answer in answers.items()
        if answer.elapsed.total_seconds() > LONGEST_SECONDS
    }
    refused = {path: answer.status_code for path, answer in answers.items() if answer.status_code != 200}
    assert slow == {}
    assert all(
        SORRY.search(words_of(answers[path])) and answers[path].headers["Retry-After"] for path in refused
    )
    assert refused.keys() <= may_be_unavailable
    assert set(refused.values()) <= {503}


def test_shows_every_page_when_all_is_well(recovered):
    assert {path: answer.status_code for path, answer in walk(recovered).items()} == dict.fromkeys(PAGES, 200)


@pytest.mark.case("L1")
def test_shows_every_page_in_time_while_a_service_hangs(hanging, service):
    assert_degraded(walk(hanging), MAY_BE_UNAVAILABLE.get(service, set()))


@pytest.mark.parametrize("service", ["banner", "category", "product", "variant"])
def test_goes_on_showing_what_it_knew(recovered, service):
    known = walk(recovered)

    with signaled(recovered, service, stop=signal.SIGSTOP, resume=signal.SIGCONT):
        answers = walk(recovered)

    public = [path for path in PAGES if path not in NEVER_KEPT]
    assert {path: answers[path].status_code for path in public} == dict.fromkeys(public, 200)
    assert "Tideline Hoodie" in words_of(answers["/p/tideline-hoodie"])
    assert words_of(answers["/c/clothing/"]) == words_of(known["/c/clothing/"])


def test_shows_every_page_without_any_service(start):
    with start("--only", "web,edge") as system:
        answers = walk(system)

    assert_degraded(answers, set().union(*MAY_BE_UNAVAILABLE.values()))
