"""The wire format of sign-up, proof of an e-mail, and reset."""

from typing import Any

from rest_framework import serializers

from chassis.django.fields import Text
from gateway.mail.addresses import LONGEST, validate_address


class Email(Text):
    """A JSON string that is an e-mail address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST, validators=[validate_address], **kwargs)


class RegisterInput(serializers.Serializer[Any]):
    email = Email()
    password = Text(max_length=1024, trim_whitespace=False, style={"input_type": "password"})


class VerifyEmailInput(serializers.Serializer[Any]):
    email = Email()
    code = Text(max_length=16, help_text="Six digits, from the mail.")


class ResetPasswordInput(serializers.Serializer[Any]):
    email = Email()
    code = Text(max_length=16, required=False, help_text="Six digits, from the mail.")
    password = Text(
        max_length=1024,
        trim_whitespace=False,
        required=False,
        style={"input_type": "password"},
        help_text="The new one. Give it with the code, and neither to be sent a code.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("code" in attrs) != ("password" in attrs):
            raise serializers.ValidationError("Give both a code and a password, or neither.", "incomplete")
        return attrs
