"""The gateway's own admin at /admin/gateway/, behind the gateway's own log-in."""

from importlib import import_module

from django.contrib.admin.apps import SimpleAdminConfig


class GatewayAdmin(SimpleAdminConfig):
    """Django's admin app with our site as the default one, and on it what we put there alone."""

    default_site = "gateway.accounts.site.GatewaySite"

    def ready(self) -> None:
        super().ready()
        for app in ("accounts", "tokens"):
            import_module(f"gateway.{app}.admin")
