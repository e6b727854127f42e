"""The server starts and ends threads as it needs them; none may leave a connection to PostgreSQL behind."""

import gc
from threading import Thread

import pytest
from django.db import connection


@pytest.fixture
def no_collector():
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("committed", "no_collector")
def test_ends_with_the_thread_that_made_it(ann):
    made = []

    def read():
        assert ann.get("/api/v1/wallet").status_code == 200
        made.append(connection.connection)

    thread = Thread(target=read)
    thread.start()
    thread.join()

    assert [one.closed for one in made] == [1]
