import os
import stat
import subprocess
import sys

import pytest
from django.conf import settings as real
from django.core.mail import EmailMessage

from chassis.env import ConfigurationError
from gateway.mail.box import Box
from gateway.mail.configuration import Server, read_server


@pytest.fixture
def box(tmp_path, settings):
    settings.EMAIL_BACKEND = "gateway.mail.backend.Files"
    settings.MAIL_DIRECTORY = tmp_path / "mail"
    return Box(settings.MAIL_DIRECTORY)


def send(subject="Your code", text="Enter this:\n\n012345\n", to="ann@example.com"):
    EmailMessage(subject, text, to=[to]).send()


def test_keeps_a_message_in_a_file_for_nobody_else(box, settings):
    send()

    [path] = settings.MAIL_DIRECTORY.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.MAIL_DIRECTORY.stat().st_mode) == 0o700
    assert b"012345" in path.read_bytes()


def test_reads_back_what_was_written(box):
    send(subject="Größe: 5 €", text="Ä line\n\n012345\n\nand é\n")

    [message] = box.messages()
    assert (message.to, message.subject, message.code) == ("ann@example.com", "Größe: 5 €", "012345")
    assert message.text == "Ä line\n\n012345\n\nand é\n"


def test_keeps_the_newest_only(box):
    small = Box(real.MAIL_DIRECTORY, capacity=3)
    head = b"To: a@b.c\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n\n"
    ids = [small.put(b"Subject: x\n" + head) for _ in range(5)]

    assert [message.id for message in small.messages()] == ids[:1:-1]


def test_shows_the_newest_first_and_the_code(box, anonymous):
    send(subject="older one")
    send(subject="newer one", text="987654\n")

    page = anonymous.get("/dev/mail/").content.decode()

    assert page.index("newer one") < page.index("older one")
    assert '<code class="mail-code">987654</code>' in page


def test_shows_a_message_as_text(box, anonymous):
    send(subject="<b>bold</b>", text="<script>alert(1)</script>\n")
    [message] = box.messages()

    page = anonymous.get(f"/dev/mail/{message.id}").content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<script>alert" not in page


def test_says_that_there_is_none_yet(box, anonymous):
    assert "No mail yet" in anonymous.get("/dev/mail/").content.decode()


@pytest.mark.parametrize("name", ["01a207f1-5e27-7555-a937-b47bb44b1017", "../../settings", "x", "%2e%2e"])
def test_finds_no_other_file(box, anonymous, name):
    assert anonymous.get(f"/dev/mail/{name}").status_code == 404


def test_shows_mail_in_development_alone(box, anonymous, settings):
    send()
    [message] = box.messages()
    settings.IS_DEVELOPMENT = False

    assert anonymous.get("/dev/mail/").status_code == 404
    assert anonymous.get(f"/dev/mail/{message.id}").status_code == 404


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://ann:s%40crt@mail.example", Server("mail.example", 587, "ann", "s@crt", False)),
        ("smtp://mail.example:2525/", Server("mail.example", 2525, "", "", False)),
        ("smtps://ann:x@mail.example", Server("mail.example", 465, "ann", "x", True)),
    ],
)
def test_reads_a_server(monkeypatch, url, server):
    monkeypatch.setenv("MAIL_URL", url)

    assert read_server("MAIL_URL") == server


def test_reads_a_server_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "url").write_text("smtps://ann:x@mail.example\n")
    monkeypatch.delenv("MAIL_URL", raising=False)
    monkeypatch.setenv("MAIL_URL_FILE", str(tmp_path / "url"))

    assert read_server("MAIL_URL").host == "mail.example"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://a:b",
        "smtp://a/b",
        "smtp://[",
        "smtp://a?b",
    ],
)
def test_refuses_what_is_no_server(monkeypatch, url):
    monkeypatch.setenv("MAIL_URL", url)

    with pytest.raises(ConfigurationError, match="MAIL_URL"):
        read_server("MAIL_URL")


def test_takes_a_plain_server_in_development_only(monkeypatch):
    monkeypatch.setenv("MAIL_URL", "smtp+plain://inbox:1025")

    assert read_server("MAIL_URL", in_development=True) == Server("inbox", 1025, "", "", False, is_plain=True)
    with pytest.raises(ConfigurationError, match="MAIL_URL"):
        read_server("MAIL_URL")


def test_needs_no_server_in_development(monkeypatch):
    monkeypatch.delenv("MAIL_URL", raising=False)
    monkeypatch.delenv("MAIL_URL_FILE", raising=False)

    assert read_server("MAIL_URL", in_development=True) is None


def test_tells_no_password(monkeypatch):
    monkeypatch.setenv("MAIL_URL", "smtp://ann:secret@mail.example")

    assert "secret" not in repr(read_server("MAIL_URL"))


def test_does_not_start_on_a_public_origin_without_a_mail_server():
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAIL_", "DJANGO_"))
    } | {"DJANGO_SETTINGS_MODULE": "gateway.settings", "MERCATO_ORIGIN": "https://shop.example"}

    started = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=real.BASE_DIR.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (started.returncode, started.stderr) == (1, "manage.py: MAIL_URL is not set.\n")


def test_sends_to_the_server_with_encryption(settings):
    settings.MAIL_SERVER = Server("mail.example", 465, "ann", "x", True)
    from gateway.mail.backend import Server as Backend

    backend = Backend()

    assert (backend.host, backend.port) == ("mail.example", 465)
    assert (backend.use_ssl, backend.use_tls) == (True, False)
    assert backend.timeout == 10


def test_sends_plainly_to_an_inbox_of_development(settings):
    settings.MAIL_SERVER = Server("inbox", 1025, "", "", False, is_plain=True)
    from gateway.mail.backend import Server as Backend

    assert (Backend().use_ssl, Backend().use_tls) == (False, False)
