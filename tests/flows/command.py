"""The `weakspot` command as a user calls it: in this process, or for a whole run in one of its own.

The run of its own is watched: every address that it or a child of it wants to reach is noted.
"""

import contextlib
import functools
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.commands.app import main
from tests.flows.small_audit import SmallAudit, write_audit

ROOT = Path(__file__).parents[2]
# Python imports a module of this name, if there is one, when it starts. It notes each process with
# its settings and each host that one wants, and lets none but this machine be reached.
WATCHER = """\
import ipaddress, os, sys

def write(place, *cells):
    file = os.open(os.environ[place], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, ("\\t".join(map(str, cells)) + "\\n").encode())
    os.close(file)

def is_here(host):
    if host in {None, "", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified

def watch(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        host = arguments[1][0] if isinstance(arguments[1], tuple) else ""
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0]
    else:
        return
    write("WATCHED_HOSTS", os.getpid(), is_here(host), host)
    if not is_here(host):
        raise OSError(f"{host} is watched")

sys.addaudithook(watch)
settings = [os.environ.get(n) for n in ("PREFECT_SERVER_ANALYTICS_ENABLED", "DO_NOT_TRACK")]
write("WATCHED_STARTS", os.getpid(), *settings, " ".join(sys.orig_argv))
"""
# What a run needs of the environment; not a user's settings, a proxy, or the mark of a CI.
KEPT = {"HOME", "LANG", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "PATH", "TMPDIR"}


@dataclass(frozen=True)
class Told:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


def call(*arguments: object) -> Told:
    """Run the command in this process as `main` runs it."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
    return Told(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Process:
    """A Python process that was watched; `here` and `elsewhere` are the hosts that it wanted."""

    command: str
    analytics: str  # PREFECT_SERVER_ANALYTICS_ENABLED and DO_NOT_TRACK as it started
    do_not_track: str
    here: frozenset[str]
    elsewhere: frozenset[str]


@dataclass(frozen=True)
class WatchedRun:
    """A run in a process of its own: what it told, what it started, what still ran after it."""

    told: Told
    audit: SmallAudit
    processes: tuple[Process, ...]
    left: tuple[str, ...]  # command lines

    @property
    def summary(self) -> dict[str, Any]:
        """The object on standard output; json refuses anything beside it."""
        content: dict[str, Any] = json.loads(self.told.out)
        return content


@functools.cache
def run_watched(base: Path) -> WatchedRun:
    """Run a small audit once for all tests of one worker, it and its server watched."""
    folder = base / "watched"
    folder.mkdir()
    audit = write_audit(folder, count=80)
    command = ["-m", "flows.commands.app", "run", str(audit.config), "--json"]
    told, processes = watch_python(command, folder=folder)
    left = _find_processes(f"PREFECT_HOME={folder / 'prefect'}")
    return WatchedRun(told=told, audit=audit, processes=processes, left=tuple(left))


def watch_python(arguments: list[str], *, folder: Path) -> tuple[Told, tuple[Process, ...]]:
    """Run Python in `folder`, it and its children watched."""
    done = subprocess.run(
        [sys.executable, *arguments], env=make_watched_environment(folder), cwd=folder,
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    return Told(done.returncode, done.stdout, done.stderr), read_watched(folder)


def make_watched_environment(folder: Path) -> dict[str, str]:
    """Return the environment in which Python, and what it starts, is watched."""
    watch = folder / "watch"
    watch.mkdir()
    (watch / "sitecustomize.py").write_text(WATCHER, encoding="utf-8")
    return {name: value for name, value in os.environ.items() if name in KEPT} | {
        "PREFECT_HOME": str(folder / "prefect"),
        "PYTHONPATH": os.pathsep.join([str(watch), str(ROOT)]),
        "WATCHED_HOSTS": str(watch / "hosts"),
        "WATCHED_STARTS": str(watch / "starts"),
    }


def read_watched(folder: Path) -> tuple[Process, ...]:
    """Return the processes that were watched."""
    hosts, starts = folder / "watch" / "hosts", folder / "watch" / "starts"
    wanted = [line.split("\t") for line in _lines(hosts)]
    return tuple(
        Process(
            command,
            analytics,
            do_not_track,
            here=frozenset(host for pid, here, host in wanted if (pid, here) == (own, "True")),
            elsewhere=frozenset(
                host for pid, here, host in wanted if (pid, here) == (own, "False")
            ),
        )
        for own, analytics, do_not_track, command in (line.split("\t") for line in _lines(starts))
    )


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _find_processes(mark: str) -> Iterator[str]:
    """Yield the command lines of processes with `mark` in their environment; Linux shows them."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended, or it is another user's
            if mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
