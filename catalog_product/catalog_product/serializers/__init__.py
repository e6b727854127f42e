"""The wire format of products, brands and pictures."""

from catalog_product.serializers.inputs import (
    MAX_DETAILS,
    MAX_POSITION,
    BrandInput,
    BrandPatch,
    MediaInput,
    MediaPatch,
    Options,
    ProductInput,
    ProductPatch,
)
from catalog_product.serializers.outputs import (
    LIST_OR_ONE,
    BrandList,
    BrandOutput,
    MediaOutput,
    ProductDetailOutput,
    ProductList,
)
from catalog_product.serializers.parameters import BrandsQuery, ListQuery, SlugQuery

__all__ = [
    "LIST_OR_ONE",
    "MAX_DETAILS",
    "MAX_POSITION",
    "BrandInput",
    "BrandList",
    "BrandOutput",
    "BrandPatch",
    "BrandsQuery",
    "ListQuery",
    "MediaInput",
    "MediaOutput",
    "MediaPatch",
    "Options",
    "ProductDetailOutput",
    "ProductInput",
    "ProductList",
    "ProductPatch",
    "SlugQuery",
]
