"""Every path of the wallet; the gateway serves it under the same one."""

from django.urls import path

from wallet import views
from wallet.admin import site

urlpatterns = [
    path("api/v1/wallet", views.Wallet.as_view()),
    path("api/v1/wallet/transactions", views.Transactions.as_view()),
    path("api/v1/wallet/transactions/<uuid:public_id>", views.TransactionDetail.as_view()),
    path("api/v1/wallet/statements/<str:month>", views.Statements.as_view()),
    path("api/v1/wallet/adjustments", views.Adjustments.as_view()),
    path("api/v1/wallet/integrity", views.Integrity.as_view()),
    path("admin/wallet/", site.urls),
]

handler400 = "chassis.django.exceptions.handler400"
handler403 = "chassis.django.exceptions.handler403"
handler404 = "chassis.django.exceptions.handler404"
handler500 = "chassis.django.exceptions.handler500"
