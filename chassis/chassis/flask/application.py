"""What makes a Flask application one of ours; the last thing that create_app calls."""

from flask import Flask

from chassis import logs
from chassis.flask import access, context, problems
from chassis.flask.bodies import MAX_BODY
from chassis.flask.commands import COMMANDS
from chassis.keys import KeyStore
from chassis.revocations import RevocationStore
from chassis.tokens import Verifier

_SETTINGS = ("AUDIENCE", "ORIGIN", "KEYS_PUBLIC", "SECRET_KEY", "ALLOWED_HOSTS", "ADMIN_PATH", "ADMIN_SCOPE")


def init_app(app: Flask) -> None:
    """Give an application, whose endpoints all stand, the bearer, scopes, problems, probes and commands.

    Reads AUDIENCE, ORIGIN, KEYS_PUBLIC, SECRET_KEY, ALLOWED_HOSTS, ADMIN_PATH and ADMIN_SCOPE of its config.
    Raises: ConfigurationError without usable keys, UnstatedScope for an endpoint that nobody thought of.
    """
    missing = [name for name in _SETTINGS if not app.config.get(name)]
    if missing:
        raise LookupError(f"The configuration lacks {', '.join(missing)}.")
    app.extensions["chassis"] = _verifier(app)
    # One path has one spelling: no redirect that joins slashes, as in Django.
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    logs.clear()
    problems.init_app(app)
    context.init_app(app)
    access.init_app(app)
    for command in COMMANDS:
        app.cli.add_command(command)


def _verifier(app: Flask) -> Verifier:
    folder, issuer = app.config["KEYS_PUBLIC"], app.config["ORIGIN"]
    keys = KeyStore(folder)
    revocations = RevocationStore(folder, keys, issuer=issuer)
    return Verifier(keys, issuer=issuer, audience=app.config["AUDIENCE"], revocations=revocations)
