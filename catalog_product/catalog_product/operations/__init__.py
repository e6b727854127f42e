"""Every write of products, brands and pictures. Rows are locked in one order: brand, product, media."""

from catalog_product.operations.brands import (
    BrandInUse,
    NoSuchBrand,
    create_brand,
    delete_brand,
    update_brand,
)
from catalog_product.operations.media import (
    MAX_MEDIA,
    MediaExists,
    NoSuchMedia,
    TooManyMedia,
    add_media,
    remove_media,
    update_media,
)
from catalog_product.operations.products import (
    MAX_CATEGORIES,
    NoSuchProduct,
    UnknownBrand,
    UnknownCategory,
    check_categories,
    create_product,
    update_product,
)
from catalog_product.operations.slugs import SlugTaken

__all__ = [
    "MAX_CATEGORIES",
    "MAX_MEDIA",
    "BrandInUse",
    "MediaExists",
    "NoSuchBrand",
    "NoSuchMedia",
    "NoSuchProduct",
    "SlugTaken",
    "TooManyMedia",
    "UnknownBrand",
    "UnknownCategory",
    "add_media",
    "check_categories",
    "create_brand",
    "create_product",
    "delete_brand",
    "remove_media",
    "update_brand",
    "update_media",
    "update_product",
]
