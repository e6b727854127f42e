"""Every path of the variant service; the gateway serves it under the same one."""

from django.urls import path

from catalog_variant import views
from catalog_variant.admin import site

urlpatterns = [
    path("api/v1/options", views.Options.as_view()),
    path("api/v1/options/<uuid:public_id>", views.OptionDetail.as_view()),
    path("api/v1/options/<uuid:public_id>/values", views.OptionValues.as_view()),
    path("api/v1/options/<uuid:public_id>/values/<uuid:value_id>", views.OptionValueDetail.as_view()),
    path("api/v1/variants", views.Variants.as_view()),
    path("api/v1/variants/summary", views.VariantSummaries.as_view()),
    path("api/v1/variants/matrix", views.VariantMatrix.as_view()),
    path("api/v1/variants/availability", views.VariantAvailability.as_view()),
    path("api/v1/variants/<uuid:public_id>", views.VariantDetail.as_view()),
    path("api/v1/stock/adjustments", views.Adjustments.as_view()),
    path("api/v1/stock/movements", views.Movements.as_view()),
    path("api/v1/stock/low", views.LowStock.as_view()),
    path("admin/variants/", site.urls),
]

handler400 = "chassis.django.exceptions.handler400"
handler403 = "chassis.django.exceptions.handler403"
handler404 = "chassis.django.exceptions.handler404"
handler500 = "chassis.django.exceptions.handler500"
