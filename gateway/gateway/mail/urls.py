"""The pages of mail in development."""

from django.urls import path

from gateway.mail import views

urlpatterns = [
    path("dev/mail/", views.mail, name="mail"),
    path("dev/mail/<slug:id>", views.mail_message, name="mail-message"),
]
