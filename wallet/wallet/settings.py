"""Settings of the wallet; every value that differs between installations comes from the environment."""

from chassis import env, logs
from chassis.django import defaults

AUDIENCE = "wallet"
ORIGIN = env.env_origin()
KEYS_PUBLIC = env.env_directory("KEYS_PUBLIC")
SECRET_KEY = env.env_secret("WALLET_SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = defaults.allowed_hosts(ORIGIN)

CURRENCIES = env.env_list("WALLET_CURRENCIES", "EUR,USD,GBP")
DEFAULT_CURRENCY = CURRENCIES[0]

INSTALLED_APPS = [*defaults.APPS, "wallet"]
MIDDLEWARE = defaults.MIDDLEWARE

ROOT_URLCONF = "wallet.urls"
WSGI_APPLICATION = "wallet.wsgi.application"
APPEND_SLASH = False

SERVER = defaults.server("WALLET", 8001)
DATABASES = defaults.databases("WALLET")
DATABASE_OWNER = defaults.database_owner("WALLET")
APP_ROLE = defaults.app_role(DATABASES, DATABASE_OWNER)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REST_FRAMEWORK = defaults.REST_FRAMEWORK
SPECTACULAR_SETTINGS = {
    **defaults.SPECTACULAR_SETTINGS,
    "TITLE": "Mercato wallet",
    "DESCRIPTION": "Balances and transactions on a double-entry ledger. Amounts are integers in minor units.",
}

ADMIN_PATH = "/admin/wallet/"
ADMIN_SCOPE = "wallet:admin"
STATIC_URL = "/admin/wallet/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600  # Seconds.
MESSAGE_STORAGE = "chassis.django.admin.NamedCookieStorage"
CSRF_COOKIE_NAME = "wallet_csrftoken"
CSRF_COOKIE_PATH = ADMIN_PATH
CSRF_TRUSTED_ORIGINS = [ORIGIN]
SESSION_COOKIE_PATH = ADMIN_PATH
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = ORIGIN.startswith("https:")

TEMPLATES = defaults.ADMIN_TEMPLATES

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
SILENCED_SYSTEM_CHECKS = defaults.SILENCED_SYSTEM_CHECKS

LOGGING_CONFIG = None
logs.configure(AUDIENCE, env.env_str("LOG_LEVEL", "info"))
