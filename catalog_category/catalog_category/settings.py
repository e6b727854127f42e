"""Settings of the category service; what differs between installations comes from the environment."""

from chassis import env, logs
from chassis.django import defaults

AUDIENCE = "catalog_category"
ORIGIN = env.env_origin()
KEYS_PUBLIC = env.env_directory("KEYS_PUBLIC")
KEYS_PRIVATE = env.env_directory("KEYS_PRIVATE")
SECRET_KEY = env.env_secret("CATALOG_CATEGORY_SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = defaults.allowed_hosts(ORIGIN)

# Asked how many products use a category, before it is deleted.
PRODUCT_URL = env.env_str("CATALOG_PRODUCT_URL", "http://127.0.0.1:8003")

INSTALLED_APPS = [*defaults.APPS, "catalog_category"]
MIDDLEWARE = defaults.MIDDLEWARE

ROOT_URLCONF = "catalog_category.urls"
WSGI_APPLICATION = "catalog_category.wsgi.application"
APPEND_SLASH = False

SERVER = defaults.server("CATALOG_CATEGORY", 8002)
DATABASES = defaults.databases("CATALOG_CATEGORY")
DATABASE_OWNER = defaults.database_owner("CATALOG_CATEGORY")
APP_ROLE = defaults.app_role(DATABASES, DATABASE_OWNER)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REST_FRAMEWORK = defaults.REST_FRAMEWORK
SPECTACULAR_SETTINGS = {
    **defaults.SPECTACULAR_SETTINGS,
    "TITLE": "Mercato categories",
    "DESCRIPTION": "The category tree of the catalogue. Reads need no token; drafts need catalog:read.",
}

ADMIN_PATH = "/admin/categories/"
ADMIN_SCOPE = "catalog:admin"
STATIC_URL = "/admin/categories/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600  # Seconds.
MESSAGE_STORAGE = "chassis.django.admin.NamedCookieStorage"
CSRF_COOKIE_NAME = "catalog_category_csrftoken"
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
