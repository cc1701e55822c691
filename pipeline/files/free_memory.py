"""How much memory this process may still take."""

from pathlib import Path

_MACHINE = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")  # of a container


def find_free_memory() -> int | None:
    """Return the bytes that are free: of the machine and of the container; None if not known."""
    found = [free for free in (_read_machine(), _read_group()) if free is not None]
    return min(found, default=None)


def _read_machine() -> int | None:
    try:
        lines = _MACHINE.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _read_group() -> int | None:
    try:
        limit = (_GROUP / "memory.max").read_text(encoding="ascii").strip()
        used = (_GROUP / "memory.current").read_text(encoding="ascii").strip()
        return None if limit == "max" else max(0, int(limit) - int(used))
    except (OSError, ValueError):
        return None
