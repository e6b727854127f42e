"""A Flask application of one module, whose database nobody can reach, for the tests of the Flask adapter."""

from flask import Flask, Response, request
from flask.views import MethodView
from flask_sqlalchemy import SQLAlchemy
from marshmallow import fields
from sqlalchemy.exc import OperationalError

from chassis import web
from chassis.env import env_directory, env_origin
from chassis.flask import access, bodies, etags, init_app
from chassis.flask.fields import Choice, Moment, Part, PublicId, Several, StrictInput, Text, WholeNumber
from chassis.flask.openapi import StrictBlueprint, new_api
from chassis.problems import DomainError

api = StrictBlueprint("site", __name__, url_prefix="/api/v1")


class LineInput(StrictInput):
    quantity = WholeNumber(1, 9, required=True)


class CartInput(StrictInput):
    name = Text(5, required=True)
    lines = Several(Part(LineInput), 3, required=True)
    kind = Choice(["a", "b"])
    owner = PublicId()
    at = Moment(allow_none=True)


class LimitQuery(StrictInput):
    limit = fields.String()
    kind = Choice(["a", "b"])


@api.route("/whoami")
class Whoami(MethodView):
    required_scope = {"GET": "wallet:read", "POST": "wallet:write"}

    @api.arguments(LimitQuery, location="query")
    def get(self, query):
        return {"sub": access.subject()}

    @api.arguments(CartInput)
    def post(self, data):
        return Response(status=204)


@api.route("/careful")
class Careful(MethodView):
    required_scope = "wallet:read"
    step_up = frozenset({"POST"})

    def get(self):
        return {}

    def post(self):
        return Response(status=204)


@api.route("/public")
class Public(MethodView):
    public = True

    def get(self):
        found = access.principal()
        return {"sub": found.sub if found else None}, {"Cache-Control": "public, max-age=30"}


@api.route("/reads")
class Reads(access.PublicReads):
    required_scope = {"GET": "wallet:read", "PUT": "wallet:write"}

    def get(self):
        return {"sees_more": access.sees_more("wallet:read")}

    def put(self):
        data, members = bodies.read_upload(LineForm())
        return {"bytes": len(data), **members}


class LineForm(StrictInput):
    alt = Text(9, required=True)


@api.route("/tagged")
class Tagged(access.PublicReads):
    required_scope = {"GET": "wallet:read", "PATCH": "wallet:write"}

    def get(self):
        return etags.answer({"version": 3}, version=3, cache_control="public, max-age=30")

    @etags.needs_if_match
    def patch(self, expected):
        expected.check(3)
        bodies.read_json(request)
        return etags.written({"version": 4}, version=4, location="/api/v1/tagged")


@api.route("/raises/<what>")
class Raises(MethodView):
    public = True

    def get(self, what):
        raise {
            "domain": DomainError("Too late."),
            "database": OperationalError("SELECT 1", {}, Exception("gone")),
            "crash": RuntimeError("secret detail"),
        }[what]


def admin():
    return access.subject()


def make_app(**views):
    """The application, with more views under their names."""
    app = Flask("site", static_folder=None)
    origin = env_origin()
    app.config.update(
        AUDIENCE="wallet",
        ORIGIN=origin,
        KEYS_PUBLIC=env_directory("KEYS_PUBLIC"),
        SECRET_KEY="only-for-the-tests-of-the-chassis-itself",
        ALLOWED_HOSTS=web.allowed_hosts(origin),
        ADMIN_PATH="/admin/wallet/",
        ADMIN_SCOPE="wallet:admin",
        API_TITLE="Site",
        SQLALCHEMY_DATABASE_URI="postgresql+psycopg2://nobody@127.0.0.1:1/none",
    )
    SQLAlchemy(app)
    new_api(app, "For tests.").register_blueprint(api)
    app.add_url_rule("/admin/wallet/", view_func=admin, methods=["GET", "POST"])
    for name, view in views.items():
        app.add_url_rule(f"/{name}", name, view)
    init_app(app)
    return app
