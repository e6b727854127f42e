"""Banners: what is shown where, when, and to whom."""

from flask import Flask


def create_app() -> Flask:
    """The banner service, ready to serve.

    Raises: ConfigurationError when something is missing that it cannot run without.
    """
    # The settings read the environment, which who only wants the models need not have.
    from banner import admin, extensions, settings, views
    from chassis.flask import init_app
    from chassis.flask.openapi import new_api

    app = Flask("banner", static_folder=None, template_folder=None)
    app.config.from_object(settings)
    extensions.db.init_app(app)
    extensions.migrate.init_app(app, extensions.db)
    api = new_api(app, settings.API_DESCRIPTION)
    api.register_blueprint(views.api)
    app.register_blueprint(views.media)
    admin.init_app(app)
    init_app(app)
    return app
