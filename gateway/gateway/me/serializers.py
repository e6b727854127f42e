"""The wire format of one's own account."""

from typing import Any

from rest_framework import serializers

from chassis.django.fields import ShortList, StrictInput, Text
from gateway.accounts.addresses import MOST_LINES, require_one_line, require_phone
from gateway.accounts.countries import COUNTRIES
from gateway.accounts.models import Address


class Line(Text):
    """A JSON string without line breaks and other controls."""

    def __init__(self, *, max_length: int = 100, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **{"validators": [require_one_line]} | kwargs)


class Truth(serializers.BooleanField):
    """true or false; a string or a number is refused."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class AddressInput(StrictInput):
    name = Line()
    lines = ShortList(
        child=Line(), min_length=1, max_length=MOST_LINES, help_text="Street, number, and the like."
    )
    postcode = Line(max_length=16, required=False, allow_blank=True)
    city = Line()
    region = Line(required=False, allow_blank=True)
    country = serializers.ChoiceField(list(COUNTRIES), help_text="ISO 3166-1 alpha-2.")
    phone = Line(max_length=32, required=False, allow_blank=True, validators=[require_phone])
    is_default = Truth(required=False, help_text="Where something is sent unless another is chosen.")


class AddressOutput(serializers.ModelSerializer[Address]):
    id = serializers.UUIDField(source="public_id")

    class Meta:
        model = Address
        fields = (
            *("id", "name", "lines", "postcode", "city", "region", "country", "phone"),
            *("is_default", "created_at"),
        )


class AddressList(serializers.Serializer[Any]):
    data = AddressOutput(many=True)  # type: ignore[assignment]


class MeOutput(serializers.Serializer[Any]):
    sub = serializers.UUIDField(source="public_id")
    email = serializers.EmailField()
    roles = serializers.ListField(child=serializers.CharField())
    second_factor = serializers.BooleanField(help_text="Whether a log-in needs more than the password.")
    created_at = serializers.DateTimeField()


class PasswordInput(StrictInput):
    current_password = Text(max_length=1024, trim_whitespace=False, style={"input_type": "password"})
    password = Text(max_length=1024, trim_whitespace=False, style={"input_type": "password"})


class SessionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="sid", help_text="The sid of the session's tokens.")
    is_browser = serializers.BooleanField(help_text="false: an API client.")
    is_current = serializers.BooleanField(source="is_this", help_text="Whether this request belongs to it.")
    device = serializers.CharField(help_text="What it called itself at log-in, in a few words.")
    network = serializers.CharField(help_text="Where the log-in came from, /24 or /48; empty when unknown.")
    began_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(source="seen_at")


class SessionList(serializers.Serializer[Any]):
    data = SessionOutput(many=True)  # type: ignore[assignment]
