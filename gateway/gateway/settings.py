"""Settings of the gateway's web; what differs between installations comes from the environment."""

from pathlib import Path

from chassis import logs
from chassis.django import defaults
from chassis.env import (
    ConfigurationError,
    env_directory,
    env_origin,
    env_secret,
    env_str,
    is_loopback,
)

BASE_DIR = Path(__file__).resolve().parent

ORIGIN = env_origin()
AUDIENCE = "gateway"
SECRET_KEY = env_secret("GATEWAY_SECRET_KEY")
EDGE_KEY = env_secret("EDGE_KEY")
KEYS_PUBLIC = env_directory("KEYS_PUBLIC")
KEYS_PRIVATE = env_directory("KEYS_PRIVATE")
LOGIN_AUDIENCE = env_str("LOGIN_AUDIENCE", "all")
if LOGIN_AUDIENCE not in {"all", "gateway"}:
    raise ConfigurationError("LOGIN_AUDIENCE must be all or gateway.")

DEBUG = False
ALLOWED_HOSTS = defaults.allowed_hosts(ORIGIN)
SERVER = defaults.server("GATEWAY", 8010)
# EdgeKey removes this header from every request that the edge did not send.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not is_loopback(ORIGIN)

DATABASES = defaults.databases("GATEWAY")
DATABASE_OWNER = defaults.database_owner("GATEWAY")
APP_ROLE = defaults.app_role(DATABASES, DATABASE_OWNER)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "drf_spectacular",
    "gateway.tokens",
    "gateway.accounts",
    "chassis.django",
]
MIDDLEWARE = [
    "gateway.middleware.EdgeKey",
    "chassis.django.middleware.RequestContext",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "gateway.urls"
WSGI_APPLICATION = "gateway.wsgi.application"
CSRF_FAILURE_VIEW = "chassis.django.exceptions.handler403"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"context_processors": []},
    }
]

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["gateway.accounts.hashers.Argon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
# Left alone, simplejwt would sign with SECRET_KEY; gateway.tokens.issuing signs with the keys of the folder.
SIMPLE_JWT = {"ALGORITHM": "ES256", "SIGNING_KEY": "", "USER_ID_FIELD": "public_id", "USER_ID_CLAIM": "sub"}

REST_FRAMEWORK = defaults.REST_FRAMEWORK
SPECTACULAR_SETTINGS = defaults.SPECTACULAR_SETTINGS | {
    "TITLE": "Mercato gateway",
    "DESCRIPTION": "Log in, renew and withdraw tokens.",
}
SILENCED_SYSTEM_CHECKS = [
    *defaults.SILENCED_SYSTEM_CHECKS,
    "auth.E003",  # The e-mail is unique, by a constraint that ignores case; the check sees plain ones only.
]

TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"

LOGGING_CONFIG = None
logs.configure("gateway", env_str("LOG_LEVEL", "info"))
