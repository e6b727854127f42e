import pytest
from django.test import Client

from chassis.testing.django import anonymous, as_staff, as_user  # noqa: F401


@pytest.fixture
def browser():
    return Client(raise_request_exception=False)
