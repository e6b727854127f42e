"""How people prove who they are in a browser: codes, and passkeys of Chromium's virtual authenticator."""

import re
import secrets
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect
from windows import PHONE, SCHEMES

from mercato.totp import code_at

PLATFORM = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def give_authenticator(visitor):
    """Lets the browser have a device with a finger on it; what it does is asked of the wire."""
    wire = visitor.context.new_cdp_session(visitor.page)
    wire.send("WebAuthn.enable")
    made = wire.send("WebAuthn.addVirtualAuthenticator", {"options": PLATFORM})
    return wire, made["authenticatorId"]


def press(visitor, name):
    visitor.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def log_in_as_staff(visitor, persona):
    # With a session of its own: it gets other keys, and those that are shared would end with it.
    known = visitor.system.logins[persona]
    visitor.visit("/account/login/")
    visitor.page.get_by_label("E-mail").fill(known["email"])
    visitor.page.get_by_label("Password", exact=True).fill(known["password"])
    press(visitor, "Log in")
    visitor.page.get_by_label("Code").fill(visitor.system.otp(persona))
    press(visitor, "Log in")
    expect(visitor.page).to_have_url(f"{visitor.origin}/")


def add_passkey(visitor):
    visitor.visit("/account/passkeys/add/")
    visitor.page.get_by_label("Name").fill("Test device")
    press(visitor, "Add a passkey")
    expect(visitor.page.get_by_role("heading", name="Your recovery codes")).to_be_visible()


def log_out(visitor):
    visitor.visit("/account/logout/")
    press(visitor, "Log out")
    expect(visitor.page).to_have_url(f"{visitor.origin}/")


@pytest.fixture
def newcomer(visitor):
    """Somebody who has just signed up: e-mail and password."""
    email, password = f"{secrets.token_hex(6)}@example.com", secrets.token_urlsafe(12)
    visitor.sign_up(email, password)
    return email, password


def violations_of(visitor):
    """What axe finds in the page as it stands, in light and dark."""
    found = []
    for scheme in SCHEMES:
        visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme} {violation}" for violation in visitor.violations()]
    return found


def test_adds_a_passkey_and_gets_into_an_admin_with_it(visitor):
    give_authenticator(visitor)
    log_in_as_staff(visitor, "marketing")
    visitor.visit("/account/security/")
    visitor.page.get_by_role("link", name="Add a passkey").click()
    visitor.page.get_by_label("Name").fill("Test device")
    press(visitor, "Add a passkey")
    expect(visitor.page.get_by_role("link", name="Test device").last).to_be_visible()
    log_out(visitor)

    visitor.visit("/account/login/?next=/staff")
    press(visitor, "Log in with a passkey")
    expect(visitor.page).to_have_url(f"{visitor.origin}/staff")

    assert visitor.visit("/admin/banners/") == 200


def test_takes_no_passkey_without_the_finger(visitor, newcomer):
    wire, device = give_authenticator(visitor)
    add_passkey(visitor)
    assert violations_of(visitor) == []
    log_out(visitor)
    wire.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})

    visitor.visit("/account/login/")
    press(visitor, "Log in with a passkey")

    expect(visitor.page.get_by_role("alert")).to_contain_text("No passkey was used.")


def test_sets_up_an_app_and_logs_in_with_what_it_shows(new_visitor, visitor, newcomer):
    visitor.visit("/account/security/app/")
    secret = visitor.page.locator("main code").inner_text().replace(" ", "")
    assert visitor.page.evaluate("document.querySelector('.qr img').naturalWidth > 0")
    visitor.page.get_by_label("Code").fill(code_at(secret, int(time.time()) // 30))
    press(visitor, "Set it up")
    codes = visitor.page.locator("main code").all_inner_texts()
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_text().split() == codes
    log_out(visitor)

    phone = new_visitor(viewport=PHONE, java_script_enabled=False)
    phone.visit("/account/login/?next=/account/sessions/")
    phone.page.get_by_label("E-mail").fill(newcomer[0])
    phone.page.get_by_label("Password", exact=True).fill(newcomer[1])
    press(phone, "Log in")
    expect(phone.page.get_by_role("button", name=re.compile("passkey"))).to_have_count(0)
    phone.page.get_by_label("Code").fill(codes[0])
    press(phone, "Log in")

    expect(phone.page).to_have_url(f"{phone.origin}/account/sessions/")
    expect(phone.page.get_by_text("This browser")).to_be_visible()


def test_asks_for_the_second_step_without_faults(visitor, newcomer):
    give_authenticator(visitor)
    add_passkey(visitor)
    log_out(visitor)
    visitor.visit("/account/login/?next=/account")
    visitor.page.get_by_label("E-mail").fill(newcomer[0])
    visitor.page.get_by_label("Password", exact=True).fill(newcomer[1])
    press(visitor, "Log in")
    expect(visitor.page.get_by_role("heading", name="One more step")).to_be_visible()

    assert violations_of(visitor) == []
    press(visitor, "Use a passkey")

    expect(visitor.page).to_have_url(f"{visitor.origin}/account")
