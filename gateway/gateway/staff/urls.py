"""The staff's pages."""

from django.urls import path

from gateway.staff import views

urlpatterns = [path("staff", views.home, name="staff")]
