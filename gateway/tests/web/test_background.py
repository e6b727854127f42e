import threading

import pytest

from gateway.background import Task, Tasks


@pytest.fixture(autouse=True)
def database(committed):
    """Tasks close connections, which a transaction around a test would not survive."""


def test_does_a_task_again_when_asked():
    done = threading.Semaphore(0)
    tasks = Tasks()
    task = tasks.add(Task("count", done.release, every=60))

    tasks.ensure_running()
    first = done.acquire(timeout=5)
    task.ask()

    assert first
    assert done.acquire(timeout=5)


def test_does_a_task_every_so_often_unasked():
    done = threading.Semaphore(0)
    tasks = Tasks()
    tasks.add(Task("count", done.release, every=0.01))

    tasks.ensure_running()

    assert all(done.acquire(timeout=5) for _ in range(3))


def test_starts_each_task_once_in_a_process():
    started = []
    hold = threading.Event()
    tasks = Tasks()
    tasks.add(Task("hold", lambda: (started.append(threading.current_thread().name), hold.wait()), every=60))

    tasks.ensure_running()
    tasks.ensure_running()
    hold.set()

    assert started == ["hold"]


def test_goes_on_after_a_failure_and_says_so(caplog):
    task = Task("break", lambda: 1 / 0, every=60)

    task.work()
    task.work()

    assert [record.message for record in caplog.records] == ["A task failed."] * 2


def test_goes_on_when_its_connection_cannot_even_be_closed(monkeypatch, caplog):
    def refuse():
        raise OSError

    monkeypatch.setattr("gateway.background.close_old_connections", refuse)

    Task("clean", list, every=60).work()

    assert [record.message for record in caplog.records] == ["A task failed."]
