"""Pictures: uploads and the order of a gallery, and the files that everybody loads."""

from typing import Any, Final, cast
from uuid import UUID

from django.core.files.storage import default_storage
from django.http import Http404, HttpResponse, HttpResponseNotModified, QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog_product import operations, serializers
from catalog_product.models import Media
from chassis.django import etags
from chassis.django.openapi import documented
from chassis.django.parameters import check_parameters
from chassis.django.parsers import MergePatchParser, StrictJSONParser
from chassis.django.uploads import UploadParser
from chassis.preconditions import is_known

_FOREVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {"webp": "image/webp", "jpg": "image/jpeg"}


class ProductMedia(APIView):
    required_scope = "catalog:write"
    parser_classes = [UploadParser]

    @documented(
        "Add a picture to a product",
        {201: serializers.MediaOutput},
        403,
        404,
        409,
        413,
        415,
        503,
        operation_id="products_media_create",
        description="`ETag` is the product's, whose next version has the picture.",
        request=serializers.MediaInput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        data = serializers.MediaInput(data=_members(request))
        data.is_valid(raise_exception=True)
        upload = data.validated_data.pop("file").read()
        media = operations.add_media(product_id=public_id, data=upload, **data.validated_data)
        return _written(media, 201)


class MediaDetail(APIView):
    required_scope = "catalog:write"
    parser_classes = [MergePatchParser, StrictJSONParser]

    @documented(
        "Change what is said of a picture, or its place",
        {200: serializers.MediaOutput},
        403,
        404,
        409,
        412,
        413,
        415,
        428,
        operation_id="products_media_update",
        description="`If-Match` takes the product's `ETag`, and the answer carries its next one.",
        request=serializers.MediaPatch,
        parameters=[etags.IF_MATCH],
    )
    def patch(self, request: Request, public_id: UUID, media_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        data = serializers.MediaPatch(data=request.data)
        data.is_valid(raise_exception=True)
        media = operations.update_media(
            product_id=public_id, media_id=media_id, expected=expected, **data.validated_data
        )
        return _written(media)

    @documented(
        "Take a picture out of a product",
        {204: None},
        403,
        404,
        412,
        428,
        operation_id="products_media_delete",
        description="`If-Match` takes the product's `ETag`.",
        parameters=[etags.IF_MATCH],
    )
    def delete(self, request: Request, public_id: UUID, media_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        operations.remove_media(product_id=public_id, media_id=media_id, expected=expected)
        return Response(status=204)


class MediaFile(APIView):
    """A rendition. It is public to whoever knows the hash of the upload, so no token is looked at."""

    public = True
    authentication_classes = []

    @extend_schema(exclude=True)
    def get(self, request: Request, sha256: str, name: str) -> HttpResponse:
        body, tag = _read(f"{sha256}/{name}"), f'"{sha256[:32]}-{name}"'
        if is_known(request.headers.get("If-None-Match", ""), tag):
            response: HttpResponse = HttpResponseNotModified()
        else:
            response = HttpResponse(body, content_type=_TYPES[name.rpartition(".")[2]])
        response.headers["ETag"] = tag
        response.headers["Cache-Control"] = _FOREVER
        return response

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # Only problems are rendered here, and those in JSON whatever kind of picture was asked for.
        return super().perform_content_negotiation(request, force=True)


def _members(request: Request) -> dict[str, Any]:
    form = cast(QueryDict, request.data)
    if any(len(values) > 1 for _, values in form.lists()):
        raise ParseError("The form has a field twice.")
    return form.dict()


def _read(path: str) -> bytes:
    try:
        with default_storage.open(path) as file:
            return bytes(file.read())
    except FileNotFoundError as exc:
        raise Http404 from exc


def _written(media: Media, status: int = 200) -> Response:
    tag = {"ETag": etags.etag(media.product.version)}
    return Response(serializers.MediaOutput(media).data, status, headers=tag)
