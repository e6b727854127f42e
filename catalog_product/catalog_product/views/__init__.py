"""Products over HTTP: who may ask, what is asked, and one call that answers it."""

from catalog_product.views.brands import BrandDetail, Brands
from catalog_product.views.internal import CategoryUse, ProductExists
from catalog_product.views.media import MediaDetail, MediaFile, ProductMedia
from catalog_product.views.products import ProductDetail, Products

__all__ = [
    "BrandDetail",
    "Brands",
    "CategoryUse",
    "MediaDetail",
    "MediaFile",
    "ProductDetail",
    "ProductExists",
    "ProductMedia",
    "Products",
]
