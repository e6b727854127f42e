"""Products for staff. What they save goes through the operations, whose rules hold here as everywhere."""

from catalog_product.admin.brands import BrandAdmin
from catalog_product.admin.media import MediaAdmin
from catalog_product.admin.products import ProductAdmin
from catalog_product.admin.site import site

__all__ = ["BrandAdmin", "MediaAdmin", "ProductAdmin", "site"]
