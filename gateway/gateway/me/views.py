"""One's own account, for API clients: only the token says whose, so there is nobody else's to ask for."""

from typing import Final
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chassis.django.openapi import documented
from chassis.django.parameters import check_parameters
from chassis.tokens import Principal
from gateway.accounts import addresses
from gateway.accounts.open_sessions import end_others, end_session, open_sessions
from gateway.credentials import SmallParser
from gateway.me import operations, queries
from gateway.me.serializers import (
    AddressInput,
    AddressList,
    AddressOutput,
    MeOutput,
    PasswordInput,
    SessionList,
)

MOST_SESSIONS: Final = 100
_TAGS: Final = {"tags": ["me"]}


class OwnView(APIView):
    """Of customers. The web has the rows, and still reads nothing but the token for who it is."""

    required_scope = "account:write"
    parser_classes = (SmallParser,)


class Me(OwnView):
    @documented("Who you are", {200: MeOutput}, 403, operation_id="me", **_TAGS)
    def get(self, request: Request) -> Response:
        check_parameters(request, ())
        return Response(MeOutput(queries.me(_who(request).sub)).data)


class Password(OwnView):
    @documented(
        "Change your password",
        {204: None},
        *(403, 413, 415, 429),
        operation_id="change_password",
        request=PasswordInput,
        description=(
            "Every other session of yours ends. This one goes on with its refresh token; its access token is "
            "refused within a second, so renew it."
        ),
        **_TAGS,
    )
    def post(self, request: Request) -> Response:
        data = PasswordInput(data=request.data)
        data.is_valid(raise_exception=True)
        operations.change_password(who=_who(request), **data.validated_data)
        return Response(status=204)


class Sessions(OwnView):
    @documented(
        f"Where you are logged in: this session, then up to {MOST_SESSIONS} others, last used first",
        {200: SessionList},
        403,
        operation_id="me_sessions_list",
        **_TAGS,
    )
    def get(self, request: Request) -> Response:
        check_parameters(request, ())
        who = _who(request)
        found = open_sessions(queries.get_user(who.sub), now=timezone.now(), this=who.sid)
        return Response(SessionList({"data": found[: MOST_SESSIONS + 1]}).data)

    @documented("Log out everywhere else", {204: None}, 403, operation_id="me_sessions_end_others", **_TAGS)
    def delete(self, request: Request) -> Response:
        who = _who(request)
        end_others(queries.get_user(who.sub), except_sid=who.sid)
        return Response(status=204)


class SessionDetail(OwnView):
    @documented("End a session", {204: None}, 403, 404, operation_id="me_sessions_end", **_TAGS)
    def delete(self, request: Request, sid: UUID) -> Response:
        if not end_session(queries.get_user(_who(request).sub), sid):
            raise Http404
        return Response(status=204)


class Addresses(OwnView):
    @documented(
        "Your addresses, the default first",
        {200: AddressList},
        403,
        operation_id="me_addresses_list",
        **_TAGS,
    )
    def get(self, request: Request) -> Response:
        check_parameters(request, ())
        return Response(AddressList({"data": addresses.addresses_of(_who(request).sub)}).data)

    @documented(
        "Add an address",
        {201: AddressOutput},
        *(403, 409, 413, 415),
        operation_id="me_addresses_add",
        request=AddressInput,
        **_TAGS,
    )
    def post(self, request: Request) -> Response:
        data = AddressInput(data=request.data)
        data.is_valid(raise_exception=True)
        added = addresses.add_address(sub=_who(request).sub, **data.validated_data)
        where = {"Location": f"{request.path}/{added.public_id}"}
        return Response(AddressOutput(added).data, status=201, headers=where)


class AddressDetail(OwnView):
    @documented("One address", {200: AddressOutput}, 403, 404, operation_id="me_addresses_get", **_TAGS)
    def get(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        found = addresses.get_address(sub=_who(request).sub, public_id=public_id)
        return Response(AddressOutput(found).data)

    @documented(
        "Change an address",
        {200: AddressOutput},
        *(403, 404, 413, 415),
        operation_id="me_addresses_change",
        request=AddressInput,
        **_TAGS,
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        data = AddressInput(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        changed = addresses.change_address(sub=_who(request).sub, public_id=public_id, **data.validated_data)
        return Response(AddressOutput(changed).data)

    @documented("Remove an address", {204: None}, 403, 404, operation_id="me_addresses_remove", **_TAGS)
    def delete(self, request: Request, public_id: UUID) -> Response:
        addresses.remove_address(sub=_who(request).sub, public_id=public_id)
        return Response(status=204)


def _who(request: Request) -> Principal:
    assert isinstance(request.auth, Principal)  # noqa: S101  HasScope has seen to that.
    return request.auth
