"""Pictures are drawn in processes of their own, and threads work a list off together."""

import threading
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from mercato.demo.crew import Stopped, crew
from mercato.demo.models import Shot
from mercato.demo.painter import SCENE_WIDTH, WIDTH
from mercato.demo.studio import PainterGone, open_studio

MUG = Shot("mug", "classic", "ocean")


def fail() -> None:
    raise ValueError("this job")


def test_draws_what_was_ordered() -> None:
    with open_studio(1) as studio:
        studio.order([MUG, MUG], ["gift"])

        shot, scene = studio.shot(MUG), studio.scene("gift")

    assert Image.open(BytesIO(shot)).size == (WIDTH, WIDTH * 5 // 4)
    assert Image.open(BytesIO(scene)).width == SCENE_WIDTH


def test_draws_the_same_bytes_each_time() -> None:
    with open_studio(1) as first, open_studio(1) as second:
        first.order([MUG], [])
        second.order([MUG], [])

        assert first.shot(MUG) == second.shot(MUG)


def test_says_when_a_picture_cannot_be_drawn(capfd: pytest.CaptureFixture[str]) -> None:
    with open_studio(1) as studio:
        studio.order([Shot("mug", "square", "ocean")], [])

        with pytest.raises(PainterGone, match="mug square ocean"):
            studio.shot(Shot("mug", "square", "ocean"))

    assert "UnknownStyle" in capfd.readouterr().err


def test_ends_without_drawing_the_rest() -> None:
    with open_studio(2) as studio:
        studio.order([Shot("tee", "plain", color) for color in ("ink", "rose", "sky", "navy")], [])


def test_does_every_job() -> None:
    done: list[int] = []
    jobs: list[Callable[[], None]] = [lambda: done.append(1), lambda: done.append(2)]

    with crew(2) as workers:
        workers.work_off(jobs, tell=lambda: None)

    assert sorted(done) == [1, 2]


def test_raises_what_a_job_raised() -> None:
    with crew(1) as workers, pytest.raises(ValueError, match="this job"):
        workers.work_off([fail, fail], tell=lambda: None)


def test_leaves_the_rest_undone_when_told_to() -> None:
    begun, ended = threading.Event(), threading.Event()
    with crew(1) as workers:

        def wait_for_the_end() -> None:
            begun.set()
            ended.wait(10)
            workers.go_on()

        job = workers.pool.submit(wait_for_the_end)
        begun.wait(10)
        workers.end()
        ended.set()

        with pytest.raises(Stopped):
            job.result()
