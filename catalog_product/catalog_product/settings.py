"""Settings of the product service; what differs between installations comes from the environment."""

from chassis import env, logs
from chassis.django import defaults

AUDIENCE = "catalog_product"
ORIGIN = env.env_origin()
KEYS_PUBLIC = env.env_directory("KEYS_PUBLIC")
KEYS_PRIVATE = env.env_directory("KEYS_PRIVATE")
SECRET_KEY = env.env_secret("CATALOG_PRODUCT_SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = defaults.allowed_hosts(ORIGIN)

# Asked whether a category exists, and what is below it.
CATEGORY_URL = env.env_str("CATALOG_CATEGORY_URL", "http://127.0.0.1:8002")

INSTALLED_APPS = [*defaults.APPS, "catalog_product"]
MIDDLEWARE = defaults.MIDDLEWARE

ROOT_URLCONF = "catalog_product.urls"
WSGI_APPLICATION = "catalog_product.wsgi.application"
APPEND_SLASH = False

SERVER = defaults.server("CATALOG_PRODUCT", 8003)
DATABASES = defaults.databases("CATALOG_PRODUCT")
DATABASE_OWNER = defaults.database_owner("CATALOG_PRODUCT")
APP_ROLE = defaults.app_role(DATABASES, DATABASE_OWNER)
# From where on two words look alike to the search, of 1: those of four letters with another one amidst do.
DATABASES["default"]["OPTIONS"]["options"] += " -c pg_trgm.strict_word_similarity_threshold=0.25"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REST_FRAMEWORK = defaults.REST_FRAMEWORK
SPECTACULAR_SETTINGS = {
    **defaults.SPECTACULAR_SETTINGS,
    "TITLE": "Mercato products",
    "DESCRIPTION": "Products, their brands and pictures. Reads need no token; drafts need catalog:read.",
}

MEDIA_PATH = "/media/products/"
STORAGES = {
    "default": {
        "BACKEND": "catalog_product.operations.pictures.PictureStorage",
        "OPTIONS": {"location": env.env_directory("CATALOG_PRODUCT_MEDIA"), "allow_overwrite": True},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

ADMIN_PATH = "/admin/products/"
ADMIN_SCOPE = "catalog:admin"
STATIC_URL = "/admin/products/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600  # Seconds.
MESSAGE_STORAGE = "chassis.django.admin.NamedCookieStorage"
CSRF_COOKIE_NAME = "catalog_product_csrftoken"
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
