"""The pages on where somebody has things sent."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gateway.accounts import addresses
from gateway.accounts.addresses import (
    MOST,
    MOST_LINES,
    TooManyAddresses,
    UnknownAddress,
    require_one_line,
    require_phone,
)
from gateway.accounts.countries import COUNTRIES
from gateway.accounts.models import Address
from gateway.accounts.sessions import browser_session

_LONGEST: Final = 100
_BY_NAME: Final = sorted(COUNTRIES.items(), key=lambda country: country[1].casefold().replace("å", "a"))
_FIELDS: Final = ("name", "postcode", "city", "region", "country", "phone", "is_default")


class AddressForm(forms.Form):
    """What stands on a letter, and a number to call. The browser can fill it in."""

    name = forms.CharField(label="Name", max_length=_LONGEST, validators=[require_one_line])
    lines = forms.CharField(
        label="Street and number",
        help_text="Up to three lines, as they stand on a letter.",
        widget=forms.Textarea({"rows": MOST_LINES}),
        max_length=MOST_LINES * (_LONGEST + 2),
    )
    postcode = forms.CharField(label="Postcode", max_length=16, required=False, validators=[require_one_line])
    city = forms.CharField(label="City", max_length=_LONGEST, validators=[require_one_line])
    region = forms.CharField(
        label="State or region", max_length=_LONGEST, required=False, validators=[require_one_line]
    )
    country = forms.ChoiceField(label="Country", choices=[("", "Choose a country"), *_BY_NAME])
    phone = forms.CharField(
        label="Telephone",
        help_text="For whoever brings it.",
        max_length=32,
        required=False,
        validators=[require_phone],
    )
    is_default = forms.BooleanField(label="Send things there unless I choose another", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, autocomplete in (
            *(("name", "name"), ("lines", "street-address"), ("postcode", "postal-code")),
            *(("city", "address-level2"), ("region", "address-level1"), ("country", "country")),
            ("phone", "tel"),
        ):
            self.fields[name].widget.attrs["autocomplete"] = autocomplete

    def clean_lines(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["lines"].splitlines() if line.strip()]
        if len(lines) > MOST_LINES:
            raise forms.ValidationError(f"At most {MOST_LINES} lines.")
        if any(len(line) > _LONGEST for line in lines):
            raise forms.ValidationError(f"At most {_LONGEST} characters on a line.")
        for line in lines:
            require_one_line(line)
        return lines


@dataclass(frozen=True, slots=True)
class ShownAddress:
    """An address as it stands on a letter."""

    id: UUID
    name: str
    lines: tuple[str, ...]
    phone: str
    is_default: bool


def _of_mine(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    # Whoever is logged in, and 404 for an address that is not theirs.
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, **found: UUID) -> HttpResponse:
        session = browser_session(request)
        assert session is not None  # noqa: S101  login_required has seen to that.
        try:
            return view(request, session.sub, **found)
        except UnknownAddress as exc:
            raise Http404 from exc

    return guarded


@require_safe
@_of_mine
def list_addresses(request: HttpRequest, sub: str) -> HttpResponse:
    shown = [_shown(address) for address in addresses.addresses_of(sub)]
    context = {"addresses": shown, "has_room": len(shown) < MOST}
    return render(request, "account/addresses.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@_of_mine
def add_address(request: HttpRequest, sub: str) -> HttpResponse:
    form = AddressForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            addresses.add_address(sub=sub, **form.cleaned_data)
        except TooManyAddresses:
            form.add_error(None, f"You have {MOST} addresses. Remove one first.")
        else:
            messages.success(request, "The address is added.")
            return redirect("account_addresses")
    return render(request, "account/address.html", {"form": form, "address": None})


@require_http_methods(["GET", "HEAD", "POST"])
@_of_mine
def change_address(request: HttpRequest, sub: str, public_id: UUID) -> HttpResponse:
    address = addresses.get_address(sub=sub, public_id=public_id)
    form = AddressForm(request.POST if request.method == "POST" else None, initial=_initial(address))
    if form.is_valid():
        addresses.change_address(sub=sub, public_id=public_id, **form.cleaned_data)
        messages.success(request, "The address is changed.")
        return redirect("account_addresses")
    return render(request, "account/address.html", {"form": form, "address": _shown(address)})


@require_POST
@_of_mine
def remove_address(request: HttpRequest, sub: str, public_id: UUID) -> HttpResponse:
    addresses.remove_address(sub=sub, public_id=public_id)
    messages.success(request, "The address is removed.")
    return redirect("account_addresses")


@require_POST
@_of_mine
def make_default(request: HttpRequest, sub: str, public_id: UUID) -> HttpResponse:
    addresses.change_address(sub=sub, public_id=public_id, is_default=True)
    messages.success(request, "Things are sent there from now on, unless you choose another.")
    return redirect("account_addresses")


def _shown(address: Address) -> ShownAddress:
    city = f"{address.postcode} {address.city}".strip()
    lines = (*address.lines, city, address.region, COUNTRIES[address.country])
    return ShownAddress(
        id=address.public_id,
        name=address.name,
        lines=tuple(line for line in lines if line),
        phone=address.phone,
        is_default=address.is_default,
    )


def _initial(address: Address) -> dict[str, Any]:
    return {name: getattr(address, name) for name in _FIELDS} | {"lines": "\n".join(address.lines)}
