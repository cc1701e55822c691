"""The newest snapshot of a workspace: looked for in the background, never while a page waits."""

import threading
from collections.abc import Callable

from flows.browsing.browser import Browser
from flows.browsing.snapshots.kept_snapshots import open_snapshot, stamp_workspace
from flows.run.logs import LOG
from pipeline.exceptions import WeakspotError
from pipeline.workspace.store import Store

INTERVAL = 1.0  # seconds between two looks at the manifests
_PATIENCE = 10.0  # seconds that a snapshot under way may take when the server ends


class SnapshotSource:
    """Gives pages the newest snapshot. keep: whether snapshots are kept as files.

    Raises StoreError when there is nothing to show yet.
    """

    def __init__(self, store: Store, *, keep: bool = True) -> None:
        self.store = store
        self.problem = ""
        self._keep = keep
        self._browser = self._open()
        self._ended = threading.Event()
        self._refreshing = threading.Lock()

    @property
    def browser(self) -> Browser:
        """What pages are answered from now."""
        return self._browser

    def watch(self, *, interval: float = INTERVAL) -> Callable[[], None]:
        """Look for changes in a thread of its own; return what ends it."""

        def work() -> None:
            while not self._ended.wait(interval):
                self.refresh()

        thread = threading.Thread(target=work, name="snapshots", daemon=True)
        thread.start()

        def end() -> None:
            self._ended.set()
            thread.join(timeout=_PATIENCE)

        return end

    def refresh(self) -> bool:
        """Take a new snapshot if a stage has ended since the last one; return whether one was.

        Where that fails, pages go on with the one before, and `problem` says why.
        """
        with self._refreshing:
            if stamp_workspace(self.store) == self._browser.snapshot.snapshot_id:
                return False
            try:
                self._browser = self._open()
            except (WeakspotError, OSError) as error:
                if str(error) != self.problem:
                    LOG.warning("the page shows an earlier state: %s", error)
                self.problem = str(error)
                return False
            self.problem = ""
            return True

    def _open(self) -> Browser:
        return Browser(open_snapshot(self.store, keep=self._keep), self.store, keep=self._keep)
