"""Every path of the product service; the gateway serves it under the same one, /internal/ excepted."""

from django.urls import path, re_path

from catalog_product import views
from catalog_product.admin import site
from chassis.images import RENDITION_NAME

urlpatterns = [
    path("api/v1/products", views.Products.as_view()),
    path("api/v1/products/<uuid:public_id>", views.ProductDetail.as_view()),
    path("api/v1/products/<uuid:public_id>/media", views.ProductMedia.as_view()),
    path("api/v1/products/<uuid:public_id>/media/<uuid:media_id>", views.MediaDetail.as_view()),
    path("api/v1/brands", views.Brands.as_view()),
    path("api/v1/brands/<uuid:public_id>", views.BrandDetail.as_view()),
    path("internal/products/<uuid:public_id>", views.ProductExists.as_view()),
    path("internal/categories/<uuid:category_id>/use", views.CategoryUse.as_view()),
    re_path(
        rf"^media/products/(?P<sha256>[0-9a-f]{{64}})/(?P<name>{RENDITION_NAME})\Z", views.MediaFile.as_view()
    ),
    path("admin/products/", site.urls),
]

handler400 = "chassis.django.exceptions.handler400"
handler403 = "chassis.django.exceptions.handler403"
handler404 = "chassis.django.exceptions.handler404"
handler500 = "chassis.django.exceptions.handler500"
