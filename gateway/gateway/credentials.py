"""The kind of endpoint that takes credentials in its body."""

from typing import Final

from rest_framework.views import APIView

from chassis.django.parsers import StrictJSONParser

NO_STORE: Final = {"Cache-Control": "no-store"}


class SmallParser(StrictJSONParser):
    """JSON objects of 16 KiB at most."""

    max_bytes = 16 * 1024


class CredentialsView(APIView):
    """For everyone. The body alone counts: a client renews with its expired bearer still in the header."""

    authentication_classes = ()
    parser_classes = (SmallParser,)
    public = True
