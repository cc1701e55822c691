"""A server of a small draw in a process of its own, which tests may kill."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.flows.command import KEPT, ROOT


@dataclass(frozen=True)
class Served:
    """A server that runs, and the address that it printed."""

    process: subprocess.Popen[str]
    address: str

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


@contextmanager
def serve_checks(folder: Path, *options: str, port: int = 0) -> Iterator[Served]:
    """Serve the draw of `check_examples` with the journal in `folder`."""
    command = [
        sys.executable, "-m", "tests.flows.api.check_examples", str(folder), str(port), *options
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name in KEPT}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Served(process, process.stdout.readline().strip())
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=60)
        process.stdout.close()
