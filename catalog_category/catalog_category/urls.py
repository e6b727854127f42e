"""Every path of the category service; the gateway serves it under the same one, /internal/ excepted."""

from django.urls import path

from catalog_category import views
from catalog_category.admin import site

urlpatterns = [
    path("api/v1/categories", views.Categories.as_view()),
    path("api/v1/categories/tree", views.CategoryTree.as_view()),
    path("api/v1/categories/<uuid:public_id>", views.CategoryDetail.as_view()),
    path("api/v1/categories/<uuid:public_id>/descendants", views.CategoryDescendants.as_view()),
    path("api/v1/categories/<uuid:public_id>/move", views.MoveCategory.as_view()),
    path("internal/categories/<uuid:public_id>", views.CategoryExists.as_view()),
    path("admin/categories/", site.urls),
]

handler400 = "chassis.django.exceptions.handler400"
handler403 = "chassis.django.exceptions.handler403"
handler404 = "chassis.django.exceptions.handler404"
handler500 = "chassis.django.exceptions.handler500"
