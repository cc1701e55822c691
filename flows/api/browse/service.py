"""What the routes of the page share: the newest snapshot, pictures, uploads, and what may write."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from fastapi import HTTPException

from flows.api.sample_images import Place, SampleImages
from flows.browsing.browser import Browser
from flows.browsing.check_label import check_label
from flows.browsing.near_vectors import Uploads
from flows.browsing.save_selection import SaveRequest, remove_selection, save_selection
from flows.browsing.snapshots.snapshot_source import SnapshotSource
from pipeline.files.remote_path import is_remote
from pipeline.images.crop import Box
from pipeline.samples.paths import Links
from pipeline.workspace.journals.journal_lines import Answer
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.kept.kept_selections import Selection, SelectionJournal

THUMBNAIL = 260  # pixels
_KEPT = 2000  # thumbnails in memory, some 20 MB


@dataclass
class Service:
    """One workspace that is served. read_only: whether nothing may be written."""

    source: SnapshotSource
    read_only: bool = False
    checker: str = "me"
    uploads: Uploads = field(default_factory=lambda: Uploads(OrderedDict()))

    def __post_init__(self) -> None:
        """Open the pictures."""
        self._writing = threading.Lock()
        self._done: list[Selection | Answer] = []
        snapshot = self.browser.snapshot
        roots = snapshot.card.link_roots
        links = Links(roots=roots or (), anywhere=roots is None or is_remote(snapshot.root))
        self.images = SampleImages(self._find_place, snapshot.root, links=links)
        self.thumbnails = SampleImages(self._find_place, snapshot.root, links=links, kept=_KEPT)

    @property
    def browser(self) -> Browser:
        """What is answered from now."""
        return self.source.browser

    def save(self, request: SaveRequest) -> Selection:
        """Keep a selection; raises what `save_selection` raises."""
        self._require_writing()
        with self._writing:
            kept = save_selection(self.browser, request, self.uploads)
            self._done.append(kept)
        return kept

    def remove(self, name: str) -> str:
        """Forget a selection; return in words what was removed."""
        self._require_writing()
        with self._writing:
            remove_selection(self.browser.store.folder, name)
            self._done = [one for one in self._done if isinstance(one, Answer) or one.name != name]
        return f"{name} is no longer saved"

    def check(self, sample_id: str, attribute: str, answer: str, value: str | None) -> Answer:
        """Keep an answer to a label; raises what `check_label` raises."""
        self._require_writing()
        with self._writing:
            kept = check_label(
                self.browser, sample_id, attribute, answer, value=value, checker=self.checker
            )
            self._done.append(kept)
        return kept

    def undo(self) -> str:
        """Take back what was done last since the server started; return it in words.

        What does not hold any more, since it was removed or replaced elsewhere, is passed over.
        """
        self._require_writing()
        folder = self.browser.store.folder
        with self._writing:
            while self._done:
                last = self._done.pop()
                if isinstance(last, Answer):
                    if Journal(folder).take_back(last):
                        about = f"{last.attribute} of {last.sample_id}"
                        return f"the answer about {about} was taken back"
                elif SelectionJournal(folder).find(last.name) == last:
                    remove_selection(folder, last.name)
                    return f"{last.name} is no longer saved"
            return ""

    def _require_writing(self) -> None:
        if self.read_only:
            raise HTTPException(403, "this workspace is served with --read-only")

    def _find_place(self, sample_id: str) -> Place | None:
        place: tuple[str, Box | None] | None = self.browser.snapshot.find_place(sample_id)
        return place
