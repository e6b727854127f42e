#!/usr/bin/env python3
"""Take the pictures of the documents from a running, seeded shop, and put the one of the README together.

mercato up --detach --data DIR
python docs/screenshots/take.py --data DIR
"""

import argparse
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).resolve().parent
MERCATO = Path(sys.executable).with_name("mercato")
SIZES = {"1280": {"width": 1280, "height": 880}, "390": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
PAGES = {
    "home": "/",
    "category": "/c/clothing/",
    "product": "/p/tideline-hoodie?variant=TAM-TLH-OCEAN-M",
    "search": "/search?q=lamp",
    "log-in": "/account/login/",
    "status": "/status",
    "styleguide": "/styleguide",
    "wallet": "/wallet",
    "staff": "/staff",
    "admin": "/admin/variants/catalog_variant/variant/",
}
ALONE = frozenset({"home", "category", "product", "search", "log-in", "status", "styleguide"})


def main() -> None:
    """Write <page>-<width>-<scheme>.webp for every page, and shop.webp."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the data directory of the running system")
    where = [f"--data={data}"] if (data := parser.parse_args().data) else []
    origin = ask("status", *where)["origin"]
    known = {login["persona"]: login for login in ask("logins", *where)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--hide-scrollbars"]
        )
        cookies = {
            persona: log_in(browser, origin, known[persona], *where) for persona in ("shopper", "superuser")
        }
        for width in SIZES:
            for scheme in SCHEMES:
                take(browser, origin, cookies, width, scheme)
    put_together()


def ask(*arguments: str) -> Any:
    """What the command says as JSON."""
    done = subprocess.run([MERCATO, *arguments, "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def take(browser: Browser, origin: str, cookies: dict[str, Any], width: str, scheme: str) -> None:
    """Every page in one size and scheme."""
    for name, path in PAGES.items():
        context = browser.new_context(viewport=SIZES[width], color_scheme=scheme, reduced_motion="reduce")
        page = context.new_page()
        if name not in ALONE:
            context.add_cookies(cookies["shopper" if name == "wallet" else "superuser"])
        page.goto(origin + path)
        page.wait_for_load_state("networkidle")
        picture = Image.open(io.BytesIO(page.screenshot()))
        picture.convert("RGB").save(HERE / f"{name}-{width}-{scheme}.webp", quality=78, method=6)
        context.close()


def log_in(browser: Browser, origin: str, login: dict[str, Any], *where: str) -> Any:
    """Log in by the form, staff with a code, which is good once; the cookies that came of it."""
    context = browser.new_context()
    page = context.new_page()
    button = page.get_by_role("main").get_by_role("button", name="Log in", exact=True)
    page.goto(f"{origin}/account/login/")
    page.get_by_label("E-mail").fill(login["email"])
    page.get_by_label("Password", exact=True).fill(login["password"])
    button.click()
    if login["totp_secret"]:
        command = [MERCATO, "otp", login["persona"], *where]
        code = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        page.get_by_label("Code").fill(code)
        button.click()
    page.wait_for_url(f"{origin}/")
    cookies = context.cookies()
    context.close()
    return cookies


def put_together() -> None:
    """The picture of the README: the home page, a product in the dark, and a telephone."""
    sheet = Image.new("RGB", (1600, 960), "#e9e2d8")
    for name, width, place in (
        ("home-1280-light", 1120, (40, 40)),
        ("product-1280-dark", 820, (470, 360)),
        ("category-390-light", 290, (1270, 60)),
    ):
        picture = Image.open(HERE / f"{name}.webp")
        height = round(picture.height * width / picture.width)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        corners = Image.new("L", picture.size, 0)
        ImageDraw.Draw(corners).rounded_rectangle((0, 0, width - 1, height - 1), radius=16, fill=255)
        sheet.paste(picture, place, corners)
    sheet.save(HERE / "shop.webp", quality=82, method=6)


if __name__ == "__main__":
    main()
