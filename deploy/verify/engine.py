"""A Docker engine that is never installed: unpacked, run in namespaces of its own, and gone again."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from mercato.processes import last_lines, spawn

RELEASE = "bookworm"
_PACKAGES = (
    *("docker.io", "containerd", "runc", "tini", "mmdebstrap"),
    *("iptables", "libip4tc2", "libip6tc2", "libxtables12", "libnftnl11", "libmnl0"),
    *("libnfnetlink0", "libnetfilter-conntrack3"),
)
# Enough of a system to run Python, add a user and be looked into; unpacked but not set up, which takes 5 s
# where a real installation takes 35.
_STAND_IN_PACKAGES = (
    *("base-files", "base-passwd", "bash", "dash", "coreutils", "libc-bin", "passwd", "findutils"),
    *("grep", "sed", "tar", "gzip", "mawk", "python3", "python3-venv", "netbase", "tzdata"),
)
_STAND_IN_SETUP = """
set -e
cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd"
cp "$1/usr/share/base-passwd/group.master" "$1/etc/group"
ln -sf dash "$1/bin/sh"
ln -s python3 "$1/usr/bin/python"
mkdir -p "$1/etc/ssl/certs"
cp -L "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$1/etc/ssl/certs/ca-certificates.crt"
rm -rf "$1/usr/share/doc" "$1/usr/share/man" "$1/usr/share/locale"
chroot "$1" python3 -m compileall -q -j 2 /usr/lib/python3.11
"""
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# How this machine reaches its package index; what installs packages in a build must know it too.
_INSTALLER = ("PIP_", "UV_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
# The engine keeps a key, a folder and sockets at fixed places: it gets layers over these that end with it.
# Over /usr lies what was unpacked, so that everything is found at its usual place.
_PRIVATE = """
set -e
for folder in etc opt run; do
  own=$1/over/$folder
  mkdir -p "$own/upper" "$own/work"
  mount -t overlay -o "lowerdir=/$folder,upperdir=$own/upper,workdir=$own/work" none "/$folder"
done
mount -t overlay -o "lowerdir=$1/root/usr:/usr" none /usr
mkdir -p "$1/volumes" "$1/data/volumes"
mount --bind "$1/volumes" "$1/data/volumes"
ip link set lo up 2>/dev/null || true
shift
exec tini -- dockerd "$@"
"""
# Whoever is killed, the kernel ends the first process of the namespace, and with it all the others.
_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL")
# Whether layers can be mounted over one another here, which containers consist of.
_OVERLAY = """
set -e
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work none /etc
"""
_CGROUP = "mercato-verify-"
_START_SECONDS = 60
_STOP_SECONDS = 30


class EngineFailed(Exception):
    """The engine, or something it was asked to do, failed; the text ends with the last lines of output."""


class EngineUnavailable(EngineFailed):
    """The packages of the engine cannot be had from here."""


def unsuitable() -> str:
    """Why the engine cannot run on this machine, as a sentence; empty when it can."""
    if not sys.platform.startswith("linux"):
        return "it needs Linux"
    if os.geteuid() != 0:
        return "it needs root"
    missing = [name for name in ("unshare", "nsenter", "apt-get", "dpkg", "perl") if not shutil.which(name)]
    if missing:
        return f"it needs {', '.join(missing)}"
    if f"VERSION_CODENAME={RELEASE}" not in Path("/etc/os-release").read_text():
        return f"it fetches the engine of Debian {RELEASE}, and this is another system"
    tried = subprocess.run([*_NAMESPACES, "--net", "bash", "-c", _OVERLAY], capture_output=True, check=False)
    if tried.returncode:
        return "it needs namespaces, and the right to mount in them"
    return ""


class Engine:
    """The engine in a work folder, which holds all that it writes; `volumes` in it may lead elsewhere."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self._root = work / "root"
        self._process: subprocess.Popen[bytes] | None = None
        self._cgroup = f"{_CGROUP}{os.getpid()}"

    @property
    def environment(self) -> dict[str, str]:
        """What `docker` and `docker-compose` need to find the engine, and no settings of a user."""
        own = {"DOCKER_HOST": f"unix://{self._socket}", "DOCKER_CONFIG": str(self.work / "client")}
        passed_on = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return passed_on | own | {"DOCKER_BUILDKIT": "1"}

    @property
    def _socket(self) -> Path:
        return self.work / "docker.sock"

    def fetch(self) -> None:
        """Download and unpack the engine.

        Raises: EngineUnavailable.
        """
        folder = self.work / "packages"
        folder.mkdir()
        # apt downloads as a user of its own, who must be able to write here.
        folder.chmod(0o777)
        try:
            self._apt("download", *_PACKAGES, folder=folder)
        except EngineUnavailable:
            # What this machine knows of the archive may be older than the archive.
            self._apt("update", folder=folder)
            self._apt("download", *_PACKAGES, folder=folder)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, self._root], check=True)
        for name in ("iptables", "ip6tables"):
            (self._root / "usr/sbin" / name).symlink_to("xtables-nft-multi")

    @contextmanager
    def running(self, *, isolated: bool) -> Iterator[None]:
        """The engine, with the network of this machine (to build) or one of its own (to run containers).

        Raises: EngineFailed.
        """
        (self.work / "client").mkdir(exist_ok=True)
        self._socket.unlink(missing_ok=True)
        self._process = process = self._spawn(isolated=isolated)
        try:
            self._wait(process)
            yield
        finally:
            self._process = None
            _end(process)
            self._remove_cgroups()

    def inside(self, *command: str | Path) -> list[str]:
        """The command line that runs a program in the network of the running engine."""
        if self._process is None:
            raise EngineFailed("the engine does not run")
        return ["nsenter", f"--target={self._process.pid}", "--net", "--", *map(str, command)]

    def docker(self, *arguments: str | Path, stdin: bytes | None = None) -> str:
        """What a `docker` command prints.

        Raises: EngineFailed.
        """
        return self.run(self._root / "usr/bin/docker", *arguments, stdin=stdin)

    def run(self, *command: str | Path, stdin: bytes | None = None, **settings: str) -> str:
        """What a program that talks to the engine prints.

        Raises: EngineFailed.
        """
        env = self.environment | settings
        done = subprocess.run(command, env=env, input=stdin, capture_output=True, check=False)
        if done.returncode:
            output = (done.stdout + done.stderr).decode(errors="replace")[-6000:]
            raise EngineFailed(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{output}")
        return done.stdout.decode(errors="replace")

    def import_python(self, tag: str) -> None:
        """Make the stand-in of the official Python image: Debian's Python, with the certificates from here.

        Raises: EngineUnavailable, EngineFailed.
        """
        archive = self.work / "python.tar"
        env = os.environ | {"PATH": f"{os.environ['PATH']}:{self._root}/usr/bin:/usr/sbin:/sbin"}
        packages, setup = f"--include={','.join(_STAND_IN_PACKAGES)}", f"--extract-hook={_STAND_IN_SETUP}"
        # What it mounts meanwhile would stay behind where it is killed.
        command = [
            *("unshare", "--mount", "mmdebstrap", "--quiet", "--variant=extract"),
            *(packages, setup, RELEASE, str(archive)),
        ]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise EngineUnavailable(f"mmdebstrap failed: {done.stderr.strip()[-2000:]}")
        settings = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        settings |= {name: value for name, value in os.environ.items() if name.startswith(_INSTALLER)}
        settings |= {"PIP_CERT": _CERTIFICATES, "SSL_CERT_FILE": _CERTIFICATES}
        changes = [f"--change=ENV {name}={value}" for name, value in settings.items()]
        self.docker("import", *changes, archive, tag)
        archive.unlink()

    def build(self, tag: str, context: Path, dockerfile: Path, **arguments: str) -> None:
        """Build an image, with the network of this machine.

        Raises: EngineFailed.
        """
        proxies = {name: os.environ[name] for name in _PROXIES if name in os.environ}
        options = [f"--build-arg={name}={value}" for name, value in (proxies | arguments).items()]
        where = [f"--file={dockerfile}", f"--tag={tag}", "--network=host", "--progress=plain"]
        self.docker("build", *where, *options, context)

    def logs(self) -> str:
        """The end of what the engine itself wrote."""
        return "\n".join(last_lines(self.work / "engine.log", 20))

    def _apt(self, *arguments: str, folder: Path) -> None:
        command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise EngineUnavailable(f"apt-get {arguments[0]} failed: {done.stderr.strip()[-500:]}")

    def _spawn(self, *, isolated: bool) -> "subprocess.Popen[bytes]":
        namespaces = [*_NAMESPACES]
        options = [
            f"--data-root={self.work / 'data'}",
            f"--exec-root={self.work / 'exec'}",
            f"--host=unix://{self._socket}",
            f"--cgroup-parent=/{self._cgroup}",
            *("--pidfile=/run/engine.pid", "--storage-driver=overlay2", "--log-level=warn"),
            "--init-path=/usr/bin/tini-static",
        ]
        if isolated:
            namespaces.append("--net")
        else:
            options += ["--iptables=false", "--ip6tables=false", "--bridge=none"]
        command = [*namespaces, "bash", "-c", _PRIVATE, "engine", str(self.work), *options]
        return spawn(command, log=self.work / "engine.log", death_signal=signal.SIGKILL)

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        ends_at = time.monotonic() + _START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > ends_at:
                raise EngineFailed(f"the engine did not start:\n{self.logs()}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        with suppress(EngineFailed):
            self.docker("version")
            return True
        return False

    def _remove_cgroups(self) -> None:
        # They belong to the machine and not to a namespace, so an engine leaves them behind; so does one that
        # was killed. Those of an engine that runs stay.
        for group in Path("/sys/fs/cgroup").glob(f"**/{_CGROUP}*"):
            pid = int(group.name.removeprefix(_CGROUP))
            if pid != os.getpid() and psutil.pid_exists(pid):
                continue
            for folder, _, _ in os.walk(group, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children():
            child.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
