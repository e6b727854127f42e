"""Which addresses mail can be sent to."""

from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.encoding import punycode

LONGEST: Final = 254
"""Characters of an address (RFC 5321 section 4.5.3.1.3)."""

_REFUSED: Final = "Enter a valid email address."


def validate_address(address: str) -> None:
    """Raises: ValidationError, unless it is an address in the form that everybody has.

    Quoted local parts are well formed by RFC 5322, and may hold characters that break the lines of a header;
    domains may be too long once they are encoded.
    """
    validate_email(address)
    if len(address) > LONGEST or '"' in address or not address.isprintable():
        raise ValidationError(_REFUSED, code="invalid")
    try:
        punycode(address.rpartition("@")[2])
    except UnicodeError as exc:
        raise ValidationError(_REFUSED, code="invalid") from exc
