from chassis import health


def fail():
    raise OSError("gone")


def test_is_ready_when_every_check_passes():
    assert health.run({"database": lambda: None}) == (200, {"status": "ok", "checks": {"database": "ok"}})


def test_names_the_check_that_failed_and_no_reason():
    status, body = health.run({"database": fail, "keys": lambda: None})

    assert (status, body) == (503, {"status": "failed", "checks": {"database": "failed", "keys": "ok"}})
