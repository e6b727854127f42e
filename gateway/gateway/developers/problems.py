"""Every problem code that anything of Mercato can answer: what it means, and what a client should do."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

EDGE: Final = "edge"
DJANGO: Final = ("gateway", "wallet", "catalog_category", "catalog_product", "catalog_variant")
SERVICES: Final = (*DJANGO, "banner")
EVERYWHERE: Final = (EDGE, *SERVICES)
_CATALOG: Final = ("catalog_category", "catalog_product", "catalog_variant")
_LISTS: Final = ("wallet", *_CATALOG, "banner")
_VERSIONED: Final = (*_CATALOG, "banner")
_ONCE: Final = ("wallet", "catalog_variant")
_PICTURES: Final = ("catalog_product", "banner")


@dataclass(frozen=True, slots=True)
class Problem:
    """A code: its HTTP statuses, what it means, what a client should do, and who answers it.

    services are names of folders, and `edge`; none where nothing answers it yet.
    """

    code: str
    title: str
    statuses: tuple[int, ...]
    meaning: str
    remedy: str
    services: tuple[str, ...]

    @property
    def type(self) -> str:
        """What problem documents with this code have as their type, and where this is read."""
        return f"/problems/{self.code}"


_PROBLEMS: Final = (
    Problem(
        "malformed-request",
        "The request is malformed",
        (400,),
        "The request could not be read: its head, its path, its Host or its JSON is not what HTTP or the "
        "operation asks for. The detail says which.",
        "Correct the request. Sending the same one again gives the same answer.",
        EVERYWHERE,
    ),
    Problem(
        "unknown-parameter",
        "Unknown query parameter",
        (400,),
        "The query has a parameter that this operation does not know. It is refused rather than ignored, so "
        "that a filter with a typing error never shows everything.",
        "Look at `errors`: each pointer names a parameter. Leave it out or correct its name.",
        _LISTS,
    ),
    Problem(
        "invalid-input",
        "The input is invalid",
        (400,),
        "The request was read, and something in it has a value that is not allowed.",
        "Each of `errors` has a JSON pointer to the field or the name of the parameter, a code, and a "
        "sentence. Show the sentence beside the field.",
        SERVICES,
    ),
    Problem(
        "idempotency-key-missing",
        "An Idempotency-Key header is required",
        (400,),
        "This write moves money or stock, and must not happen twice when its answer gets lost.",
        "Send an `Idempotency-Key` of 1 to 255 visible ASCII characters, a new UUID for each thing you mean, "
        "and the same again when you repeat the request.",
        _ONCE,
    ),
    Problem(
        "unusable-image",
        "Unusable image",
        (400,),
        "The file is no JPEG, PNG or WebP picture that can be read, or has too many pixels.",
        "Send another file. Pictures have up to 8 MiB and 25 million pixels.",
        _PICTURES,
    ),
    Problem(
        "wrong-code",
        "The code is wrong or no longer good",
        (400,),
        "The code from the mail is wrong, older than 15 minutes, used, or was tried too often. Which of "
        "these is not told.",
        "Let the person type it again, or ask for another code.",
        ("gateway",),
    ),
    Problem(
        "authentication-required",
        "Authentication is required",
        (401,),
        "The operation needs an access token, and the request has none.",
        "Log in and send `Authorization: Bearer …`.",
        EVERYWHERE,
    ),
    Problem(
        "invalid-token",
        "The access token is invalid",
        (401,),
        "A token was sent and is not good: it has expired, its session has ended, or it is not ours. All "
        "reasons read the same. At the refresh endpoint it is the refresh token that is meant.",
        "Renew once with the refresh token and repeat the request. When the refresh token is refused, let "
        "the person log in again.",
        EVERYWHERE,
    ),
    Problem(
        "wrong-credentials",
        "The e-mail or the password is wrong",
        (401,),
        "Nobody who may log in has this e-mail and password. Unknown, wrong, inactive and not yet confirmed "
        "read the same.",
        "Let the person try again, or reset the password.",
        ("gateway",),
    ),
    Problem(
        "login-code-required",
        "A code from a mail is needed to log in from here",
        (401,),
        "Many have tried to log in with this e-mail lately, and nobody has logged in to its account from "
        "this network within 30 days. If there is an account, a code was mailed to it. This says nothing "
        "about the password.",
        "Ask the person for the code from the mail, and send the log-in again with `code`. It is good for 20 "
        "minutes, and once.",
        ("gateway",),
    ),
    Problem(
        "otp-required",
        "A code of the second factor is needed",
        (401,),
        "The e-mail and the password are right, and the account has a second factor: an authenticator app or "
        "a passkey.",
        "Ask the person for a code of the app, or a recovery code, and log in again with it as `otp`.",
        ("gateway",),
    ),
    Problem(
        "wrong-otp",
        "The code is wrong or was used before",
        (401,),
        "The code is not one of the account's, is more than half a minute old, or was used: each is good "
        "once, and none that is older than the last one.",
        "Let the person type the next code that the app shows, within 30 seconds.",
        ("gateway",),
    ),
    Problem(
        "step-up-required",
        "The log-in is too long ago for this",
        (401,),
        "The token is good. What it is for asks that the person has shown who they are within the last 15 "
        "minutes (RFC 9470). Nothing was changed.",
        "Let the person log in again, with their second factor, and repeat the request with the new token. "
        "Renewing the old one does not help.",
        EVERYWHERE,
    ),
    Problem(
        "concurrent-refresh",
        "Another request used this refresh token at the same time",
        (401,),
        "Two requests used one refresh token at the same moment. The other one got the next pair; nothing "
        "has ended.",
        "Use the pair that the other request got. Renew in one place of your program only.",
        ("gateway",),
    ),
    Problem(
        "forbidden",
        "Not allowed",
        (403,),
        "You are known, and this is not open to you: an admin of another role, or a form that another site "
        "sent.",
        "Do not repeat it. Ask for another role if you need one.",
        EVERYWHERE,
    ),
    Problem(
        "second-factor-required",
        "This needs a second factor",
        (403,),
        "You work here, and logged in by a password alone. Admins open to those who also showed a code of an "
        "authenticator app, or a passkey.",
        "Set one up on the security page of the account, /account/security/.",
        (EDGE, "gateway"),
    ),
    Problem(
        "insufficient-scope",
        "The token lacks a scope",
        (403,),
        "The token is good and does not give the right to do this. `WWW-Authenticate` names the scopes of "
        "which one would do.",
        "Log in as somebody who has it, or without asking for less in `scope`.",
        EVERYWHERE,
    ),
    Problem(
        "not-found",
        "Not found",
        (404,),
        "There is nothing here that you may see. What belongs to somebody else reads the same.",
        "Check the path and the id. Do not repeat it.",
        EVERYWHERE,
    ),
    Problem(
        "method-not-allowed",
        "Method not allowed",
        (405,),
        "The path exists and does not take this method.",
        "`Allow` lists the methods that it takes.",
        EVERYWHERE,
    ),
    Problem(
        "not-acceptable",
        "No acceptable representation",
        (406,),
        "None of the content types in `Accept` can be made.",
        "Accept `application/json`, or `text/csv` for a statement.",
        DJANGO,
    ),
    Problem(
        "request-timeout",
        "The request took too long to arrive",
        (408,),
        "The head or the body of the request did not arrive in time. Nothing was done.",
        "Send it again on a new connection.",
        (EDGE,),
    ),
    Problem(
        "conflict",
        "Conflict",
        (409,),
        "Somebody else changed the same at the same moment, or a request with the same Idempotency-Key is "
        "still under way. Nothing was changed by this one.",
        "Send the same request again after `Retry-After` seconds, with the same Idempotency-Key.",
        DJANGO,
    ),
    Problem(
        "insufficient-funds",
        "Insufficient funds",
        (409,),
        "The wallet does not hold enough, what is held for orders not counted.",
        "Ask for less, or top up first. The answer is kept with the Idempotency-Key: use a new one.",
        ("wallet",),
    ),
    Problem(
        "balance-limit",
        "Balance limit reached",
        (409,),
        "A wallet cannot hold more than 10¹⁵ minor units.",
        "Credit less, with a new Idempotency-Key.",
        ("wallet",),
    ),
    Problem(
        "insufficient-stock",
        "Insufficient stock",
        (409,),
        "There are not so many units that are not promised to somebody.",
        "Take fewer, with a new Idempotency-Key. `/api/v1/variants/availability` says how many there are.",
        ("catalog_variant",),
    ),
    Problem(
        "stock-limit",
        "Stock limit reached",
        (409,),
        "A variant cannot have more than 10⁹ units.",
        "Add fewer, with a new Idempotency-Key.",
        ("catalog_variant",),
    ),
    Problem(
        "slug-taken",
        "Slug taken",
        (409,),
        "Another category, product or brand has this slug, upper and lower case alike.",
        "Choose another slug.",
        ("catalog_category", "catalog_product"),
    ),
    Problem(
        "category-cycle",
        "Would make a cycle",
        (409,),
        "The new parent is the category itself or lies below it.",
        "Choose another parent.",
        ("catalog_category",),
    ),
    Problem(
        "category-too-deep",
        "Too deep",
        (409,),
        "The tree would get more levels than it may have.",
        "Hang it higher.",
        ("catalog_category",),
    ),
    Problem(
        "category-has-children",
        "Has children",
        (409,),
        "A category with others below it is not deleted.",
        "Move or delete those first, or archive it.",
        ("catalog_category",),
    ),
    Problem(
        "category-in-use",
        "In use",
        (409,),
        "A category that products are in is not deleted. `products` says how many they are.",
        "Move the products, or archive the category.",
        ("catalog_category",),
    ),
    Problem(
        "brand-in-use",
        "Brand in use",
        (409,),
        "A brand that products have, archived ones included, is not deleted.",
        "Give the products another brand first.",
        ("catalog_product",),
    ),
    Problem(
        "too-many-media",
        "Too many media",
        (409,),
        "The product has as many pictures as it may have.",
        "Delete one first.",
        ("catalog_product",),
    ),
    Problem(
        "media-exists",
        "Media exists",
        (409,),
        "The product shows the same picture for the same options already.",
        "Nothing needs to be done.",
        ("catalog_product",),
    ),
    Problem(
        "code-taken",
        "Code taken",
        (409,),
        "Another option, or another value of the same option, has this code, upper and lower case alike.",
        "Choose another code.",
        ("catalog_variant",),
    ),
    Problem(
        "option-in-use",
        "Option in use",
        (409,),
        "What a variant has chosen is not deleted.",
        "Delete the variants that have it, or give them another value.",
        ("catalog_variant",),
    ),
    Problem(
        "sku-taken",
        "SKU taken",
        (409,),
        "Another variant has this SKU, upper and lower case alike.",
        "Choose another SKU.",
        ("catalog_variant",),
    ),
    Problem(
        "variant-exists",
        "Variant exists",
        (409,),
        "Another variant of the product has the same options.",
        "Change that one, or choose other options.",
        ("catalog_variant",),
    ),
    Problem(
        "options-differ",
        "Options differ",
        (409,),
        "All variants of a product choose from the same options, and this one would not.",
        "Give the variant a value of each option that the others have, and of no other.",
        ("catalog_variant",),
    ),
    Problem(
        "currency-differs",
        "Currency differs",
        (409,),
        "All variants of a product have prices in one currency.",
        "Use the currency of the others.",
        ("catalog_variant",),
    ),
    Problem(
        "last-superuser",
        "Somebody must remain who may do everything",
        (409,),
        "Without this user nobody could let anybody in any more. It is said in the gateway's admin.",
        "Make somebody else superuser first.",
        ("gateway",),
    ),
    Problem(
        "too-many-addresses",
        "There are as many addresses as there may be",
        (409,),
        "An account keeps twenty addresses, and this one has them.",
        "Remove one that is not needed any more.",
        ("gateway",),
    ),
    Problem(
        "precondition-failed",
        "The resource has changed since it was read",
        (412,),
        "`If-Match` does not name the present version: somebody else changed it since you read it. The "
        "answer has the present `ETag`.",
        "Read it again, look at what changed, and send your change with the new `ETag`.",
        _VERSIONED,
    ),
    Problem(
        "content-too-large",
        "The body is too large",
        (413,),
        "The body has more bytes than this operation takes: 1 MiB, 16 KiB where credentials are sent, 8 MiB "
        "for a picture.",
        "Send less.",
        EVERYWHERE,
    ),
    Problem(
        "uri-too-long",
        "The URI is too long",
        (414,),
        "Path and query have more than 8 KiB.",
        "Ask for fewer ids at once; lists take 100.",
        (EDGE,),
    ),
    Problem(
        "unsupported-media-type",
        "Unsupported media type",
        (415,),
        "The body has a content type, a charset or an encoding that this operation does not take.",
        "Send `application/json` in UTF-8 without compression, or `multipart/form-data` where a picture is "
        "asked for.",
        EVERYWHERE,
    ),
    Problem(
        "expectation-failed",
        "The expectation cannot be met",
        (417,),
        "`Expect` asks for something other than `100-continue`.",
        "Leave the header out.",
        (EDGE,),
    ),
    Problem(
        "idempotency-key-reused",
        "The Idempotency-Key was used for another request",
        (422,),
        "This key came before with another body, so it cannot be told what is meant. Nothing was done.",
        "Use a new key for everything that is new, and the same body when you repeat a request.",
        _ONCE,
    ),
    Problem(
        "unknown-brand",
        "Unknown brand",
        (422,),
        "The input names a brand that does not exist.",
        "Choose one of `/api/v1/brands`.",
        ("catalog_product",),
    ),
    Problem(
        "unknown-category",
        "Unknown category",
        (422,),
        "The input names a category that does not exist.",
        "Choose one of `/api/v1/categories`.",
        ("catalog_category", "catalog_product"),
    ),
    Problem(
        "unknown-product",
        "Unknown product",
        (422,),
        "The input names a product that does not exist.",
        "Make the product first: `POST /api/v1/products`.",
        ("catalog_variant",),
    ),
    Problem(
        "unknown-option",
        "Unknown option",
        (422,),
        "The input names an option, or a value of one, that does not exist.",
        "Choose from `/api/v1/options`.",
        ("catalog_variant",),
    ),
    Problem(
        "unknown-variant",
        "Unknown variant",
        (422,),
        "The input names a variant that does not exist.",
        "Look it up by its SKU: `/api/v1/variants?sku=…`.",
        ("catalog_variant",),
    ),
    Problem(
        "unknown-placement",
        "Unknown placement",
        (422,),
        "The input names a place that banners are not shown at.",
        "Choose one of `/api/v1/placements`.",
        ("banner",),
    ),
    Problem(
        "unknown-group",
        "There is no such group",
        (422,),
        "A user would get a group that is in no table of roles. Only commands of the operator say it.",
        "Use one of the groups of the table.",
        ("gateway",),
    ),
    Problem(
        "precondition-required",
        "An If-Match header is required",
        (428,),
        "A change has to say which version it is a change of, so that nobody overwrites what they never saw.",
        "Read the resource, and send its `ETag` as `If-Match`.",
        _VERSIONED,
    ),
    Problem(
        "too-many-requests",
        "Too many requests",
        (429,),
        "This was tried too often from here: log-ins that fail, codes that are wrong, sign-ups, mails that "
        "are asked for, bad tokens, or requests of any kind. Nothing was done. `RateLimit-Policy` names the "
        "limit: its quota `q` in a window of `w` seconds.",
        "Wait as many seconds as `Retry-After` says. `RateLimit` says before that how many attempts remain "
        "(`r`) and when the window ends (`t`).",
        ("gateway", EDGE),
    ),
    Problem(
        "headers-too-large",
        "The header fields are too large",
        (431,),
        "The head of the request has more than 16 KiB or 100 fields.",
        "Send fewer or smaller headers.",
        (EDGE,),
    ),
    Problem(
        "internal-error",
        "Internal error",
        (500,),
        "Something happened that nobody anticipated. It is our fault.",
        "Report the `request_id`. Repeat reads; repeat writes only with the same Idempotency-Key.",
        SERVICES,
    ),
    Problem(
        "not-implemented",
        "Not implemented",
        (501,),
        "The request uses a transfer coding other than `chunked`.",
        "Send it with its `Content-Length`.",
        (EDGE,),
    ),
    Problem(
        "bad-gateway",
        "The service gave no valid answer",
        (502,),
        "The service behind this path answered nothing that may be passed on. `service` names it.",
        "Repeat reads after a moment; writes only with the same Idempotency-Key, for they may have happened.",
        (EDGE,),
    ),
    Problem(
        "unavailable",
        "The service is unavailable",
        (503,),
        "The service behind this path, one that it must ask, or its database cannot be reached right now. "
        "The others go on.",
        "Try again after `Retry-After` seconds.",
        EVERYWHERE,
    ),
    Problem(
        "upstream-timeout",
        "The service took too long",
        (504,),
        "The service behind this path did not answer in time. A write may have happened.",
        "Repeat reads after a moment; writes only with the same Idempotency-Key.",
        (EDGE,),
    ),
    Problem(
        "http-version-not-supported",
        "HTTP version not supported",
        (505,),
        "Only HTTP/1.1 and HTTP/1.0 are spoken here.",
        "Use HTTP/1.1.",
        (EDGE,),
    ),
)

PROBLEMS: Final = MappingProxyType({problem.code: problem for problem in _PROBLEMS})
"""By code, in the order of their statuses."""
