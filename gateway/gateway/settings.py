"""Settings of the gateway's web; what differs between installations comes from the environment."""

import sys
from pathlib import Path

from chassis import logs
from chassis.django import defaults
from chassis.env import (
    ConfigurationError,
    env_directory,
    env_int,
    env_origin,
    env_secret,
    env_str,
    is_loopback,
)
from gateway.mail.configuration import read_server

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
UPSTREAMS = {
    "wallet": env_str("WALLET_URL", "http://127.0.0.1:8001"),
    "catalog_category": env_str("CATALOG_CATEGORY_URL", "http://127.0.0.1:8002"),
    "catalog_product": env_str("CATALOG_PRODUCT_URL", "http://127.0.0.1:8003"),
    "catalog_variant": env_str("CATALOG_VARIANT_URL", "http://127.0.0.1:8004"),
    "banner": env_str("BANNER_URL", "http://127.0.0.1:8005"),
}
# EdgeKey removes this header from every request that the edge did not send.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
IS_DEVELOPMENT = is_loopback(ORIGIN) and ORIGIN.startswith("http:")
_PREFIX = "" if IS_DEVELOPMENT else "__Host-"

SESSION_ENGINE = "gateway.accounts.session_store"
SESSION_COOKIE_NAME = f"{_PREFIX}sid"
SESSION_COOKIE_AGE = 30 * 24 * 3600  # Seconds. gateway.accounts.sessions ends it earlier.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not IS_DEVELOPMENT
DEVICE_COOKIE_NAME = f"{_PREFIX}device"
CSRF_COOKIE_NAME = f"{_PREFIX}csrftoken"
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [ORIGIN]

DATABASES = defaults.databases("GATEWAY")
DATABASE_OWNER = defaults.database_owner("GATEWAY")
APP_ROLE = defaults.app_role(DATABASES, DATABASE_OWNER)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "gateway.admin.GatewayAdmin",
    "gateway.accounts",  # Before django.contrib.auth, one of whose commands it replaces.
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "gateway.tokens",
    "gateway.limits",
    "gateway.mail",
    "gateway.storefront",
    "gateway.staff",
    "gateway.developers",
    "chassis.django",
]
MIDDLEWARE = [
    "gateway.middleware.EdgeKey",
    "chassis.django.middleware.RequestContext",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gateway.middleware.Pages",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "gateway.accounts.sessions.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "gateway.urls"
WSGI_APPLICATION = "gateway.wsgi.application"
CSRF_FAILURE_VIEW = "gateway.errors.csrf_failure"
APPEND_SLASH = False
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,  # Those of Django's own admin; allauth's are all replaced by ours.
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gateway.storefront.shell.shell",
            ],
            "builtins": ["gateway.storefront.templatetags.shop"],
        },
    }
]

# `manage.py collectstatic` makes names that change with the content, and compressed copies. Without it the
# files are served as they stand, for development and tests.
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "gateway.developers.swagger.SwaggerFiles",
]
_COLLECTED = Path(env_str("GATEWAY_STATIC", str(BASE_DIR.parent / "staticfiles")))
_IS_COLLECTED = (_COLLECTED / "staticfiles.json").is_file() or "collectstatic" in sys.argv
STATIC_ROOT = _COLLECTED if _IS_COLLECTED else None
WHITENOISE_USE_FINDERS = not _IS_COLLECTED
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _IS_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["gateway.accounts.hashers.Argon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTHENTICATION_BACKENDS = ["gateway.accounts.backends.EmailAndPassword"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"

ACCOUNT_ADAPTER = "gateway.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "gateway.accounts.forms.LogIn",
    "signup": "gateway.accounts.forms.SignUp",
    "confirm_email_verification_code": "gateway.accounts.forms.ConfirmEmail",
    "reset_password": "gateway.accounts.forms.ResetPassword",
    "confirm_password_reset_code": "gateway.accounts.forms.ConfirmReset",
    "reset_password_from_key": "gateway.accounts.forms.NewPassword",
    "change_password": "gateway.accounts.forms.ChangePassword",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60  # Seconds.
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
# allauth counts in the cache, which each process has for itself. Ours are in gateway.limits.
ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "gateway.accounts.factors.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_TOLERANCE = 1  # Steps of 30 seconds before and after the present one.
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "dashed": False, "length": 6}

# Limits for each address are this many times as high: for a shop whose customers share one.
PEOPLE_PER_ADDRESS = env_int("GATEWAY_PEOPLE_PER_ADDRESS", 1, minimum=1, maximum=10_000)

# MAIL_URL says who takes mail. Without it mail is kept in files, for /dev/mail/ to show: in development only.
MAIL_DIRECTORY = Path(env_str("GATEWAY_MAIL", str(BASE_DIR.parent / ".mail")))
MAIL_SERVER = read_server("MAIL_URL", in_development=IS_DEVELOPMENT)
EMAIL_BACKEND = "gateway.mail.backend.Server" if MAIL_SERVER else "gateway.mail.backend.Files"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env_str("MAIL_FROM", "Mercato <shop@localhost>")

# Left alone, simplejwt would sign with SECRET_KEY; gateway.tokens.issuing signs with the keys of the folder.
SIMPLE_JWT = {"ALGORITHM": "ES256", "SIGNING_KEY": "", "USER_ID_FIELD": "public_id", "USER_ID_CLAIM": "sub"}

REST_FRAMEWORK = defaults.REST_FRAMEWORK
SPECTACULAR_SETTINGS = defaults.SPECTACULAR_SETTINGS | {
    "TITLE": "Mercato gateway",
    "DESCRIPTION": "Log in, renew and withdraw tokens.",
}
SILENCED_SYSTEM_CHECKS = [
    *defaults.SILENCED_SYSTEM_CHECKS,
    "auth.W004",  # The e-mail is unique, by a constraint that ignores case; the check sees plain ones only.
]

TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"

LOGGING_CONFIG = None
logs.configure("gateway", env_str("LOG_LEVEL", "info"))
