"""Commands of the services, run for an operator."""

import os
import subprocess

import pytest
from terminal import Mercato, environment


def manage(mercato: Mercato, *arguments: str) -> "subprocess.CompletedProcess[str]":
    # What follows the service is the service's, so --data cannot stand at the end.
    return subprocess.run(
        mercato.command("manage", *arguments),
        capture_output=True,
        text=True,
        env=environment(MERCATO_DATA=os.fspath(mercato.data_dir)),
        timeout=120,
        check=False,
    )


def test_runs_a_command_of_a_service_that_does_not_run(mercato: Mercato) -> None:
    done = manage(mercato, "wallet", "verify_ledger")

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("service", ["catalog_category", "category"])
def test_passes_options_on_and_knows_both_names_of_a_service(mercato: Mercato, service: str) -> None:
    done = manage(mercato, service, "check", "--fail-level", "WARNING")

    assert done.returncode == 0, done.stderr


def test_ends_as_the_command_ends(mercato: Mercato) -> None:
    assert manage(mercato, "wallet", "check", "--tag", "no-such-tag").returncode == 1


def test_runs_with_no_more_rights_than_the_service(mercato: Mercato) -> None:
    done = manage(
        mercato, "wallet", "shell", "-c", "from wallet.models import Entry; Entry.objects.all().delete()"
    )

    assert done.returncode == 1
    assert "permission denied" in done.stderr


def test_refuses_a_service_that_there_is_not(mercato: Mercato) -> None:
    done = manage(mercato, "walet", "check")

    assert done.returncode == 1
    assert done.stderr.strip() == (
        "mercato: there is no service 'walet'; there are: gateway, wallet, catalog_category, "
        "catalog_product, catalog_variant, banner"
    )
