"""The Flask adapter of the chassis: what chassis.django does for Django, with the same answers."""

from chassis.flask.application import init_app

__all__ = ["init_app"]
