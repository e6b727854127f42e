"""What the web counts of its own work; docs/metrics.md says what each of these figures is."""

from smtplib import SMTPException

import pytest
from django.core.mail.backends.locmem import EmailBackend
from prometheus_client import REGISTRY

from gateway.clients import calls, services
from gateway.clients.breaker import FAILURES
from gateway.clients.testing import PUBLIC
from gateway.mail.delivery import deliver_due
from gateway.mail.operations import send

THING = "/api/v1/thing"


@pytest.fixture
def rise():
    """How much a figure has risen since it was asked for the first time."""
    first = {}

    def risen(name, **labels):
        value = REGISTRY.get_sample_value(name, labels) or 0
        return value - first.setdefault((name, *labels.items()), value)

    return risen


@pytest.mark.usefixtures("committed")
def test_counts_refresh_tokens_and_a_reuse(rise, log_in, post, shopper):
    outcomes = ("rotated", "dead")
    reused = ("mercato_sessions_ended_total", {"reason": "reuse"})
    [rise("mercato_refreshes_total", result=outcome) for outcome in outcomes]
    rise(reused[0], **reused[1])
    first = log_in(shopper)["refresh"]

    post("refresh", refresh=first)
    post("refresh", refresh=first)

    assert [rise("mercato_refreshes_total", result=outcome) for outcome in outcomes] == [1, 1]
    assert rise(reused[0], **reused[1]) == 1


class Unwilling(EmailBackend):
    def send_messages(self, messages):
        raise SMTPException


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("backend", "result"),
    [("django.core.mail.backends.locmem.EmailBackend", "sent"), (f"{__name__}.Unwilling", "failed")],
)
def test_counts_mails(rise, settings, backend, result):
    settings.EMAIL_BACKEND = backend
    rise("mercato_mails_total", result=result)

    send(name="unknown_account", to="somebody@example.com")
    deliver_due()

    assert rise("mercato_mails_total", result=result) == 1


def test_shows_a_breaker_as_open_until_the_service_answers(shop):
    shop["banner"].answer(THING, {"a": 1})
    service = services.Service("tried", "http://127.0.0.1:9", origin="http://localhost:8000")
    answering = services.service("banner")

    for _ in range(FAILURES):
        with pytest.raises(calls.Away):
            service.get(THING, dict)
    opened = REGISTRY.get_sample_value("mercato_breaker_open", {"upstream": "tried", "lane": ""})
    service._client = answering._client
    service.get_private(THING, dict, always=True)

    assert opened == 1
    assert REGISTRY.get_sample_value("mercato_breaker_open", {"upstream": "tried", "lane": ""}) == 0


def test_tells_answers_of_memory_from_those_of_a_service(rise, shop):
    sources = ("memory", "service")
    shop["banner"].answer(THING, {"a": 1}, Cache_Control=PUBLIC)
    [rise("mercato_page_answers_total", upstream="banner", source=source) for source in sources]

    [services.service("banner").get(THING, dict) for _ in range(3)]

    counts = [rise("mercato_page_answers_total", upstream="banner", source=source) for source in sources]
    assert counts == [2, 1]
