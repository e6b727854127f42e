"""Who looks at the shop, and through which windows."""

from typing import Final

DESKTOP: Final = {"width": 1280, "height": 800}
PHONE: Final = {"width": 390, "height": 844}
WINDOWS: Final = {"desktop": DESKTOP, "phone": PHONE}
SCHEMES: Final = ("light", "dark")

PUBLIC_PAGES: Final = (
    "/",
    "/c/",
    "/c/clothing/",
    "/c/clothing/tops/",
    "/search",
    "/search?q=hoodie",
    "/search?q=zzzzzz",
    "/p/tideline-hoodie",
    "/p/tideline-hoodie?variant=TAM-TLH-OCEAN-S",
    "/account/login/",
    "/account/signup/",
    "/account/password/reset/",
    "/status",
    "/styleguide",
    "/dev/mail/",
    "/developers/",
    "/problems/",
    "/problems/insufficient-funds",
    "/c/nowhere/",
    "/nowhere",
)
SHOPPER_PAGES: Final = (
    "/account",
    "/wallet",
    "/account/password/change/",
    "/account/security/",
    "/account/security/app/",
    "/account/passkeys/add/",
    "/account/sessions/",
    "/account/reauthenticate/",
    "/account/addresses/",
    "/account/addresses/add/",
    "/account/logout/",
    "/admin/wallet/",
)
STAFF_PAGES: Final = ("/staff",)
ADMINS: Final = {
    "gateway": "superuser",
    "wallet": "finance",
    "categories": "catalogue-editor",
    "products": "catalogue-editor",
    "variants": "stock-keeper",
    "banners": "marketing",
}
