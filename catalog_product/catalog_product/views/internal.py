"""For other services: what exists, and what is in use. The edge does not route it."""

from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog_product.models import Product, ProductCategory
from chassis.django.parameters import check_parameters
from chassis.django.views import ServicesOnly


class ProductExists(ServicesOnly):
    required_scope = "catalog:exists"

    @extend_schema(exclude=True)
    def get(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        product = Product.objects.filter(public_id=public_id).first()
        if product is None:
            raise Http404
        return Response({"id": product.public_id, "exists": True, "status": product.status})


class CategoryUse(ServicesOnly):
    required_scope = "catalog:exists"

    @extend_schema(exclude=True)
    def get(self, request: Request, category_id: UUID) -> Response:
        check_parameters(request, ())
        return Response({"products": ProductCategory.objects.filter(category=category_id).count()})
