"""The wire format of log-in, renewal and withdrawal."""

from typing import Any

from rest_framework import serializers

from gateway.accounts.roles import AUDIENCE_PREFIXES


class Text(serializers.CharField):
    """A JSON string; DRF alone would take numbers for one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class LoginInput(serializers.Serializer[Any]):
    email = Text(max_length=254)
    password = Text(max_length=1024, trim_whitespace=False, style={"input_type": "password"})
    code = Text(
        max_length=16,
        required=False,
        allow_blank=True,
        help_text="From the mail, when `login-code-required` has asked for it.",
    )
    otp = Text(
        max_length=32,
        required=False,
        allow_blank=True,
        help_text="A code of the authenticator app, or a recovery code, where there is a second factor.",
    )
    scope = Text(
        max_length=1024,
        required=False,
        allow_blank=True,
        help_text="Space-separated. Ask for less than you may; without it you get everything you may.",
    )


class RefreshInput(serializers.Serializer[Any]):
    refresh = Text(max_length=4096)


class RevokeInput(serializers.Serializer[Any]):
    token = Text(max_length=4096, help_text="A refresh or an access token.")


class TokenPairOutput(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="Access token, a JWT (RFC 9068).")
    refresh = serializers.CharField(help_text="Refresh token. It can be used once.")
    token_type = serializers.CharField(help_text="Always Bearer.")
    expires_in = serializers.IntegerField(help_text="Life of the access token in seconds.")
    scope = serializers.CharField(help_text="What was granted, space-separated.")


class ServiceTokenInput(serializers.Serializer[Any]):
    bearer = Text(max_length=4096, required=False)
    session = Text(max_length=4096, required=False, trim_whitespace=False)
    write = serializers.BooleanField(required=False, help_text="With a session: it is to change something.")
    audience = serializers.ChoiceField(choices=list(AUDIENCE_PREFIXES))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        credentials = attrs.keys() & {"bearer", "session"}
        if len(credentials) != 1 or (credentials == {"bearer"} and "write" in attrs):
            raise serializers.ValidationError("Give exactly one of bearer and session.", "one-credential")
        return attrs


class ServiceTokenOutput(serializers.Serializer[Any]):
    token = serializers.CharField()
    exp = serializers.IntegerField()
    sub = serializers.UUIDField()
