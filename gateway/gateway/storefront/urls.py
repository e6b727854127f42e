"""The shop's pages."""

from django.urls import path

from gateway.storefront import views

urlpatterns = [
    path("", views.home, name="home"),
    path("c/", views.categories, name="categories"),
    path("c/<path:path>/", views.category, name="category"),
    path("c/<path:path>", views.category_without_slash),
    path("search", views.search, name="search"),
    path("p/<slug:slug>", views.product, name="product"),
    path("wallet", views.wallet, name="wallet"),
    path("wallet/statement.csv", views.statement_csv, name="statement-csv"),
    path("wallet/transactions/<uuid:transaction_id>", views.transaction, name="transaction"),
    path("theme", views.theme, name="theme"),
    path("status", views.status, name="status"),
    path("styleguide", views.styleguide, name="styleguide"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("robots.txt", views.robots, name="robots"),
]
