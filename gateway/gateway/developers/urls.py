"""The pages for developers."""

from django.urls import path

from gateway.developers import views

urlpatterns = [
    path("developers", views.with_slash),
    path("developers/reference", views.with_slash),
    path("problems", views.with_slash),
    path("developers/", views.quick_start, name="developers"),
    path("developers/reference/", views.reference, name="api-reference"),
    path("problems/", views.problems, name="problems"),
    path("problems/<slug:code>", views.problem, name="problem"),
]
