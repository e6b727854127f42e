"""Settings of the banner service; what differs between installations comes from the environment."""

from chassis import env, logs, postgres, web
from chassis.flask.database import engine_options

AUDIENCE = "banner"
ORIGIN = env.env_origin()
KEYS_PUBLIC = env.env_directory("KEYS_PUBLIC")
SECRET_KEY = env.env_secret("BANNER_SECRET_KEY")
ALLOWED_HOSTS = web.allowed_hosts(ORIGIN)

# Where the renditions of images are kept, and the hosts that an external target may be on.
MEDIA = env.env_directory("BANNER_MEDIA")
EXTERNAL_HOSTS = [host.lower() for host in env.env_list("BANNER_EXTERNAL_HOSTS", "")]

SERVER = web.server("BANNER", 8005)
DATABASE = postgres.database("BANNER")
DATABASE_OWNER = postgres.database_owner("BANNER")
APP_ROLE = postgres.app_role(DATABASE, DATABASE_OWNER)
SQLALCHEMY_DATABASE_URI = "postgresql+psycopg2://"
SQLALCHEMY_ENGINE_OPTIONS = engine_options(DATABASE, env.env_int("BANNER_THREADS", 4, minimum=1, maximum=64))

API_TITLE = "Mercato banners"
API_DESCRIPTION = "What is shown where, when, and to whom. What is live needs no token; the rest banner:read."

ADMIN_PATH = "/admin/banners/"
ADMIN_SCOPE = "banner:admin"
# Flask-Admin keeps the token of its forms, and its messages, in Flask's session: the one cookie there is.
SESSION_COOKIE_NAME = "banner_csrftoken"
SESSION_COOKIE_PATH = ADMIN_PATH
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SEND_FILE_MAX_AGE_DEFAULT = 3600  # Seconds, for the admin's static files.
SESSION_COOKIE_SECURE = ORIGIN.startswith("https:")

logs.configure(AUDIENCE, env.env_str("LOG_LEVEL", "info"))
