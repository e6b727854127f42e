import pytest
from chassis_urls import Forgotten
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.urls import path

from chassis.django.checks import check_scopes


class WithForgottenScope:
    urlpatterns = [path("forgotten", Forgotten.as_view())]


class WithoutAnyScope:
    urlpatterns = [path("none", type("None_", (Forgotten,), {"required_scope": {}}).as_view())]


def test_finds_every_view_of_the_site_stated():
    assert check_scopes(None) == []


def test_finds_a_method_without_a_scope(settings):
    settings.ROOT_URLCONF = WithForgottenScope

    (error,) = check_scopes(None)

    assert "Forgotten states no scope for POST" in error.msg


def test_stops_a_process_with_a_view_that_states_no_scope(settings):
    settings.ROOT_URLCONF = WithoutAnyScope

    with pytest.raises(SystemCheckError, match=r"chassis\.E001"):
        call_command("check")
