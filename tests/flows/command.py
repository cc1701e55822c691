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

from flows.cli import main
from tests.flows.small_audit import SmallAudit, write_audit

ROOT = Path(__file__).parents[2]
# Python imports a module of this name, if there is one, when it starts.
WATCHER = """\
import os, sys

def note(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "unix"
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    line = f"{os.getpid()} {event} {host}\\n"
    place = os.open(os.environ["WATCHED_HOSTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(place, line.encode())
    os.close(place)

sys.addaudithook(note)
place = os.open(os.environ["WATCHED_STARTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(place, f"{os.getpid()} {' '.join(sys.orig_argv)}\\n".encode())
os.close(place)
"""


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
class WatchedRun:
    """A run in a process of its own: what it told, what it started, whom it wanted to reach."""

    told: Told
    audit: SmallAudit
    started: tuple[str, ...]
    hosts: tuple[tuple[str, str], ...]  # command line of the process, host
    left: tuple[str, ...]  # command lines of processes that still ran after its end

    @property
    def summary(self) -> dict[str, Any]:
        """The object on standard output; json refuses anything beside it."""
        content: dict[str, Any] = json.loads(self.told.out)
        return content


@functools.cache
def run_watched(base: Path) -> WatchedRun:
    """Run a small audit once for all tests of one worker, its server and its workers watched."""
    folder = base / "watched"
    folder.mkdir()
    audit = write_audit(folder, count=80)
    watch = folder / "watch"
    watch.mkdir()
    (watch / "sitecustomize.py").write_text(WATCHER, encoding="utf-8")
    # A user's own settings, of Prefect or a proxy, are not those of this test.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT", "DO_NOT_TRACK"))}
    environment = kept | {
        "PREFECT_HOME": str(folder / "prefect"),
        "PYTHONPATH": os.pathsep.join([str(watch), str(ROOT)]),
        "WATCHED_HOSTS": str(watch / "hosts"),
        "WATCHED_STARTS": str(watch / "starts"),
    }
    command = [sys.executable, "-m", "flows.cli", "run", str(audit.config), "--json"]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip
    left = tuple(_find_processes("WATCHED_HOSTS=" + environment["WATCHED_HOSTS"]))
    names = dict(line.split(" ", 1) for line in _lines(watch / "starts"))
    parts = [line.split(" ", 2) for line in _lines(watch / "hosts")]
    return WatchedRun(
        told=Told(done.returncode, done.stdout, done.stderr),
        audit=audit,
        started=tuple(names.values()),
        hosts=tuple((names.get(pid, pid), host) for pid, _, host in parts),
        left=left,
    )


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _find_processes(mark: str) -> Iterator[str]:
    """Yield the command lines of processes with `mark` in their environment; Linux shows them."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended, or it is another user's
            if mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
