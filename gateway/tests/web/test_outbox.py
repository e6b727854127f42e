"""Mail on its way: against a real conversation with a mail server, which may be of any mood."""

import logging
import socket
import socketserver
import threading
import time
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from prometheus_client import REGISTRY

from gateway.mail import delivery
from gateway.mail.configuration import Server
from gateway.mail.delivery import CLAIM, DELIVERY, deliver_due
from gateway.mail.models import OutgoingMail
from gateway.mail.operations import send

ANN = "ann@example.com"


class Conversation(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as our side of it uses."""

    def handle(self):
        if self.server.mood == "silent":
            self.server.released.wait(10)
            return
        self.say("220 mail.example")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA" and not self.take():
                return
            if word != b"DATA":
                self.say(self.server.answers.get(word, "250 fine"))
            if word == b"QUIT":
                return

    def take(self):
        if self.server.mood == "dying":
            return False
        self.say("354 go on")
        text = b"".join(iter(self.rfile.readline, b".\r\n"))
        if self.server.mood == "together":
            self.server.meeting.wait()
        self.say(self.server.answers.get(b"DATA", "250 taken"))
        if b"DATA" not in self.server.answers:
            self.server.taken.append(text.decode())
        return True

    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.mood, self.answers, self.taken = "", {}, []
        self.released = threading.Event()
        self.meeting = threading.Barrier(3, timeout=10)


@pytest.fixture
def server(settings):
    """A mail server on this machine, which the settings name."""
    with MailServer() as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        use(settings, listening.server_address[1])
        yield listening
        listening.released.set()
        listening.shutdown()


def use(settings, port):
    settings.EMAIL_BACKEND = "gateway.mail.backend.Server"
    settings.EMAIL_TIMEOUT = 1
    settings.MAIL_SERVER = Server("127.0.0.1", port, "", "", False, is_plain=True)


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def write(**more):
    send(name="unknown_account", to=ANN, **more)


def after(**span):
    moment = timezone.now() + timedelta(**span)
    return lambda: moment


def test_writes_a_mail_into_the_outbox_and_asks_for_its_delivery(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        write()

    waiting = OutgoingMail.objects.get()
    assert (waiting.to, waiting.subject) == (ANN, "There is no account with this address at Mercato")
    assert callbacks == [DELIVERY.ask]


@pytest.mark.usefixtures("committed")
def test_sends_nothing_of_what_was_undone(server):
    with transaction.atomic():
        write()
        transaction.set_rollback(True)
    deliver_due()

    assert server.taken == []


def test_hands_a_mail_to_the_server_and_forgets_it(db, server):
    write()

    deliver_due()

    assert [f"To: {ANN}" in text for text in server.taken] == [True]
    assert not OutgoingMail.objects.exists()


def test_keeps_no_code_longer_than_it_takes_to_send_it(db, server):
    send(name="password_reset_code", to=ANN, code="012345")
    before = OutgoingMail.objects.filter(text__contains="012345").count()

    deliver_due()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM mail_outgoingmail")
        assert (before, cursor.fetchone()) == (1, (0,))


@pytest.mark.parametrize(
    "answers",
    [{b"MAIL": "451 later"}, {b"RCPT": "450 busy"}, {b"DATA": "452 full"}, {b"MAIL": "550 not you"}],
)
def test_tries_again_what_the_server_may_yet_take(db, server, answers):
    server.answers = answers
    write()
    deliver_due()
    refused = OutgoingMail.objects.get()
    server.answers = {}

    deliver_due(clock=after(seconds=1))

    assert refused.tries == 1
    assert len(server.taken) == 1


@pytest.mark.parametrize("answers", [{b"RCPT": "550 nobody here"}, {b"DATA": "554 no"}])
def test_gives_up_what_the_server_will_never_take(db, server, answers, caplog):
    server.answers = answers
    write()

    deliver_due()

    assert not OutgoingMail.objects.exists()
    assert [(record.message, record.result) for record in caplog.records] == [("Gave up a mail.", "refused")]
    assert ANN not in caplog.text


def test_gives_up_what_makes_no_message(db, server):
    OutgoingMail.objects.create(
        name="x",
        to="ann@example.com\nBcc: eve@example.com",
        due_at=timezone.now(),
        expires_at=timezone.now() + timedelta(hours=1),
    )

    deliver_due()

    assert not OutgoingMail.objects.exists()
    assert server.taken == []


@pytest.mark.parametrize("mood", ["dying", "silent"])
def test_tries_again_when_the_server_dies_or_hangs(db, server, mood):
    server.mood = mood
    write()
    deliver_due()
    server.mood = ""

    deliver_due(clock=after(seconds=1))

    assert len(server.taken) == 1


def test_tries_again_when_nobody_listens(db, settings, closed_port):
    use(settings, closed_port)
    write()

    deliver_due()

    assert OutgoingMail.objects.get().tries == 1


def test_waits_longer_each_time_up_to_a_bound(db, settings, closed_port, monkeypatch):
    use(settings, closed_port)
    monkeypatch.setattr(delivery.random, "uniform", lambda low, high: high)
    write()
    dues = [timezone.now()]

    for _ in range(16):
        deliver_due(clock=lambda: dues[-1])
        dues.append(OutgoingMail.objects.get().due_at)

    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(dues)]
    assert pauses == [*(2**n for n in range(12)), *[3600] * 4]


def test_tries_a_code_once_a_minute_at_least(db, settings, closed_port):
    use(settings, closed_port)
    send(name="password_reset_code", to=ANN, code="012345")
    OutgoingMail.objects.update(tries=20)

    deliver_due()

    assert OutgoingMail.objects.get().due_at - timezone.now() < timedelta(seconds=61)


@pytest.mark.parametrize(("code", "life"), [("012345", timedelta(minutes=15)), ("", timedelta(hours=24))])
def test_gives_up_a_mail_whose_time_has_passed(db, server, caplog, code, life):
    send(name="password_reset_code", to=ANN, code=code)
    OutgoingMail.objects.update(due_at=timezone.now() + life)
    clock = after(seconds=life.total_seconds() + 1)

    deliver_due(clock=clock)

    assert server.taken == []
    assert not OutgoingMail.objects.exists()
    assert [record.result for record in caplog.records] == ["expired"]


def test_goes_on_with_the_others_after_one_that_fails(db, server):
    send(name="unknown_account", to="eve@example.com\nBcc: x@example.com")
    write()

    deliver_due()

    assert len(server.taken) == 1


def test_leaves_a_mail_alone_that_somebody_else_is_trying(db, server):
    write()
    OutgoingMail.objects.update(due_at=timezone.now() + CLAIM)

    deliver_due()
    early = len(server.taken)
    deliver_due(clock=after(seconds=CLAIM.total_seconds() + 1))

    assert (early, len(server.taken)) == (0, 1)


def deliver_elsewhere():
    """The task in a thread of its own, as in another worker."""

    def work():
        DELIVERY.work()
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_never_lets_two_send_the_same(committed, server):
    server.mood = "together"  # The server takes none before it has three, so three are on their way at once.
    [write() for _ in range(3)]

    threads = [deliver_elsewhere() for _ in range(4)]
    [thread.join() for thread in threads]

    assert len(server.taken) == 3
    assert not OutgoingMail.objects.exists()


def test_takes_no_longer_to_write_when_the_server_hangs(committed, server):
    server.mood = "silent"
    write()
    trying = deliver_elsewhere()

    began = time.perf_counter()
    write()
    took = time.perf_counter() - began
    server.mood = ""
    server.released.set()
    trying.join()

    assert took < 0.5  # The server keeps silent for a second.


def test_shows_how_much_waits_and_for_how_long(db, settings, closed_port):
    use(settings, closed_port)
    write()
    OutgoingMail.objects.update(due_at=after(days=1)(), created_at=after(seconds=-90)())

    deliver_due()

    assert REGISTRY.get_sample_value("mercato_mails_waiting") == 1
    assert 90 <= REGISTRY.get_sample_value("mercato_mails_oldest_seconds") < 100


def test_writes_neither_address_nor_code_to_the_log(db, server, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    server.answers = {b"RCPT": f"450 busy with {ANN}"}

    send(name="password_reset_code", to=ANN, code="012345")
    deliver_due()

    written = caplog.text + "".join(capfd.readouterr())
    assert "A mail could not be sent." in caplog.text
    assert [secret for secret in (ANN, "012345") if secret in written] == []


def test_keeps_the_number_of_queries(db, server, django_assert_num_queries):
    with django_assert_num_queries(1):
        write()
    OutgoingMail.objects.all().delete()
    with django_assert_num_queries(4):
        # With nothing to do: what waits, and what is due, within a savepoint of this test.
        deliver_due()
