"""Fill the shop's shelves: look up what stands, plan what is missing, post it."""

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from mercato.accounts import logged_in
from mercato.api import Api
from mercato.demo.catalogue import catalogue
from mercato.demo.crew import Crew, crew
from mercato.demo.planning import Plan, plan
from mercato.demo.posting import Posting, Staff
from mercato.demo.standing import Standing, look_up
from mercato.demo.studio import open_studio
from mercato.personas import CATALOGUE_EDITOR, MARKETING, STOCK_KEEPER, Login

_THREADS = 4
_PAINTERS = 2


def count_steps() -> int:
    """How many requests an empty shop takes."""
    return plan(catalogue(), Standing()).steps


def fill(api: Api, logins: Mapping[str, Login], *, progress: Callable[[int], None]) -> int:
    """Post what is missing of the demo catalogue; how much of it is new.

    `progress` gets, in this thread, how many of the steps are done, and may raise.
    Raises: ApiRefused.
    """
    with ExitStack() as stack:
        staff = Staff(
            editor=stack.enter_context(logged_in(api, logins[CATALOGUE_EDITOR])),
            stock_keeper=stack.enter_context(logged_in(api, logins[STOCK_KEEPER])),
            marketing=stack.enter_context(logged_in(api, logins[MARKETING])),
        )
        workers = stack.enter_context(crew(_THREADS))
        standing = look_up(catalogue(), editor=staff.editor, marketing=staff.marketing, pool=workers.pool)
        missing = plan(catalogue(), standing)
        tally = _Tally(workers, done=count_steps() - missing.steps)
        progress(tally.done)
        if missing.steps:
            _post(missing, standing, staff, workers, tally, progress)
        return tally.new


class _Tally:
    """Counts what the threads have posted."""

    def __init__(self, workers: Crew, done: int) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self.done = done
        self.new = 0

    def __call__(self, is_new: bool) -> None:
        with self._lock:
            self.done += 1
            self.new += is_new
        self._workers.go_on()


def _post(
    missing: Plan,
    standing: Standing,
    staff: Staff,
    workers: Crew,
    tally: _Tally,
    progress: Callable[[int], None],
) -> None:
    with open_studio(_PAINTERS) as studio:
        studio.order(
            (picture.shot for each in missing.products for picture in each.pictures),
            (each.banner.scene for each in missing.banners if each.banner.scene),
        )
        posting = Posting(staff, studio, tally)
        jobs = [lambda: posting.prepare(missing, standing)]
        workers.work_off(jobs, tell=lambda: progress(tally.done))
        workers.work_off(posting.jobs(missing), tell=lambda: progress(tally.done))
