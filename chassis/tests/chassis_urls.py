"""The views of the test site: each does one thing that the adapter has to answer for."""

from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chassis.django.parameters import check_parameters
from chassis.problems import DomainError

handler400 = "chassis.django.exceptions.handler400"
handler403 = "chassis.django.exceptions.handler403"
handler404 = "chassis.django.exceptions.handler404"
handler500 = "chassis.django.exceptions.handler500"


class LineInput(serializers.Serializer):
    quantity = serializers.IntegerField(min_value=1)


class CartInput(serializers.Serializer):
    name = serializers.CharField()
    lines = LineInput(many=True)


class Whoami(APIView):
    required_scope = {"GET": "wallet:read", "POST": "wallet:write"}

    def get(self, request: Request) -> Response:
        check_parameters(request, {"limit"})
        return Response({"sub": request.auth.sub})

    def post(self, request: Request) -> Response:
        data = CartInput(data=request.data)
        data.is_valid(raise_exception=True)
        return Response(status=204)


class Public(APIView):
    public = True

    def get(self, request: Request) -> Response:
        sub = request.auth.sub if request.auth else None
        return Response({"sub": sub}, headers={"Cache-Control": "public, max-age=30"})


class Raises(APIView):
    public = True

    def get(self, request: Request, what: str) -> Response:
        raise {
            "domain": DomainError("Too late."),
            "database": OperationalError("gone"),
            "missing": Http404(),
        }[what]


class Forgotten(APIView):
    required_scope = {"GET": "wallet:read"}

    def post(self, request: Request) -> Response:
        return Response()


class Careful(APIView):
    required_scope = "wallet:read"
    step_up = {"POST"}

    def get(self, request: Request) -> Response:
        return Response()

    def post(self, request: Request) -> Response:
        return Response(status=204)


def admin(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{type(request.user).__name__}")


def crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret detail")


urlpatterns = [
    path("api/v1/whoami", Whoami.as_view()),
    path("api/v1/public", Public.as_view()),
    path("api/v1/raises/<what>", Raises.as_view()),
    path("api/v1/careful", Careful.as_view()),
    path("admin/wallet/", admin),
    path("crash", crash),
]
