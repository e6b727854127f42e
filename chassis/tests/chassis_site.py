"""A Django site of one module, without a database, for the tests of the Django adapter."""

from chassis.django import defaults
from chassis.env import env_directory, env_origin

ORIGIN = env_origin()
AUDIENCE = "wallet"
KEYS_PUBLIC = env_directory("KEYS_PUBLIC")
KEYS_PRIVATE = env_directory("KEYS_PRIVATE")
SECRET_KEY = "only-for-the-tests-of-the-chassis-itself"
DATABASES = {"default": {"ENGINE": "django.db.backends.dummy"}}
DATABASE_OWNER = {"USER": "", "PASSWORD": "", "HOST": "", "PORT": ""}
APP_ROLE = "wallet_app"
ADMIN_PATH = "/admin/wallet/"
ADMIN_SCOPE = "wallet:admin"
SERVER = defaults.server("WALLET", 8001)
WSGI_APPLICATION = "chassis_site.application"
ALLOWED_HOSTS = defaults.allowed_hosts(ORIGIN)
ROOT_URLCONF = "chassis_urls"
USE_TZ = True
LOGGING_CONFIG = None
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.admin",
    "django.contrib.messages",
    "rest_framework",
    "drf_spectacular",
    "chassis.django",
]
MIDDLEWARE = ["chassis.django.middleware.RequestContext", "chassis.django.admin.JWTAdminMiddleware"]
REST_FRAMEWORK = defaults.REST_FRAMEWORK
SILENCED_SYSTEM_CHECKS = defaults.SILENCED_SYSTEM_CHECKS
