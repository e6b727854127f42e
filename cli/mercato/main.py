"""The command `mercato`."""

import sys
from typing import Any

from mercato.interrupts import INTERRUPTED

try:  # The imports take a moment, in which Ctrl-C deserves no traceback either.
    import click

    from mercato.backup import backup
    from mercato.bench import bench
    from mercato.console import complain
    from mercato.doctor import doctor
    from mercato.down import down
    from mercato.failures import Failure
    from mercato.keys import keys
    from mercato.logins import logins
    from mercato.logs import logs
    from mercato.manage import manage
    from mercato.migrate import migrate
    from mercato.otp import otp
    from mercato.provision import provision
    from mercato.restart import restart
    from mercato.restore import restore
    from mercato.seed import seed
    from mercato.status import status
    from mercato.token import token
    from mercato.up import up
    from mercato.user import user
except KeyboardInterrupt:
    sys.exit(INTERRUPTED)


class Commands(click.Group):
    """Anything anticipated ends in one line on standard error and status 1."""

    def main(self, *args: Any, **kwargs: Any) -> Any:  # Any: click's own signature has five overloads.
        try:
            return super().main(*args, **kwargs)
        except Failure as exc:
            complain(exc)
            sys.exit(1)


@click.group("mercato", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Mercato, a whole web shop on one machine."""


for command in (
    up,
    down,
    restart,
    status,
    logs,
    migrate,
    manage,
    seed,
    keys,
    logins,
    otp,
    token,
    user,
    backup,
    restore,
    doctor,
    provision,
    bench,
):
    main.add_command(command)
