"""Commands that run before the start, and only when there is a reason."""

import sys
from collections.abc import Callable

import pytest

from mercato.home import Home
from mercato.jobs import Job, JobFailed, run_jobs

MakeJob = Callable[..., Job]


@pytest.fixture
def make_job(home: Home) -> MakeJob:
    """A job that writes its key into a file each time it runs, or does what it is told."""

    def make(key: str = "a:b", stamp: str = "1", code: str = "", *, is_lost: bool = False) -> Job:
        code = code or f"open('ran', 'a').write('{key} ')"
        return Job(key, "done", stamp, (sys.executable, "-c", code), {}, home.data_dir, is_lost)

    return make


def ran(home: Home) -> list[str]:
    file = home.data_dir / "ran"
    return file.read_text().split() if file.exists() else []


def test_runs_what_never_ran(home: Home, make_job: MakeJob) -> None:
    run_jobs(home, [make_job("a"), make_job("b")], only_when_needed=True)

    assert sorted(ran(home)) == ["a", "b"]


def test_runs_nothing_twice_for_the_same_stamp(home: Home, make_job: MakeJob) -> None:
    run_jobs(home, [make_job()], only_when_needed=True)

    run_jobs(home, [make_job()], only_when_needed=True)

    assert len(ran(home)) == 1


@pytest.mark.parametrize(
    "again",
    [{"stamp": "2"}, {"stamp": ""}, {"is_lost": True}],
    ids=["another stamp", "no stamp", "what it made is gone"],
)
def test_runs_again_with_a_reason(home: Home, make_job: MakeJob, again: dict[str, object]) -> None:
    run_jobs(home, [make_job()], only_when_needed=True)

    run_jobs(home, [make_job(**again)], only_when_needed=True)

    assert len(ran(home)) == 2


def test_runs_everything_when_told(home: Home, make_job: MakeJob) -> None:
    run_jobs(home, [make_job()], only_when_needed=True)

    run_jobs(home, [make_job()], only_when_needed=False)

    assert len(ran(home)) == 2


def test_remembers_no_stamp_of_what_failed(home: Home, make_job: MakeJob) -> None:
    broken = make_job(code="raise SystemExit('no such table')")

    with pytest.raises(JobFailed, match="a:b failed: no such table"):
        run_jobs(home, [broken], only_when_needed=True)
    run_jobs(home, [make_job()], only_when_needed=True)

    assert len(ran(home)) == 1


def test_ends_what_runs_when_the_check_raises(home: Home, make_job: MakeJob) -> None:
    endless = make_job(code="import time; time.sleep(60); open('ran', 'w').write('late')")

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_jobs(home, [endless], only_when_needed=True, check=interrupt)

    assert ran(home) == []
