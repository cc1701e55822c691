"""The vectors of a snapshot's samples, and those of what is searched for."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from flows.browsing.snapshots.snapshot import Snapshot
from flows.retrieval.encode_query import QueryEncoder
from flows.retrieval.search_session import SearchSession, choose_encoder, read_card
from pipeline.arrays import Floats, Ints, Mask
from pipeline.browsing.sample_orders import RowPage
from pipeline.exceptions import ConfigError, StoreError
from pipeline.images.decode import ImageRejectedError, decode_image
from pipeline.retrieval.nearest import find_nearest, score_rows
from pipeline.retrieval.query import Query, Vector, make_query
from pipeline.workspace.scans.scan_store import open_scan
from pipeline.workspace.store import Store

_UPLOADS = 64  # vectors of uploaded pictures that are kept in memory
_SCORES = 6  # queries whose scores are kept


class NearVectors:
    """Searches by words, samples and pictures. rows: (n,) of the scan by sample, -1 without."""

    def __init__(self, session: SearchSession, rows: Ints, *, keep_texts: bool) -> None:
        self.session = session
        self.rows = rows
        self.encoder = QueryEncoder(session)
        self._keep_texts = keep_texts
        self._scores: OrderedDict[bytes, Vector] = OrderedDict()
        self._lock = threading.Lock()
        self._encoding = threading.Lock()  # one model, one call at a time

    @property
    def known(self) -> Mask:
        """(n,) which samples have a vector."""
        return self.rows >= 0

    def encode_texts(self, texts: Sequence[str]) -> Vector:
        """Return (t, d) unit vectors of texts; raises EncoderError where the model is gone."""
        with self._encoding:
            return self.encoder.encode_texts(texts, keep=self._keep_texts)

    def encode_picture(self, data: bytes) -> Vector:
        """Return the (d,) unit vector of an encoded image; raises ConfigError if it is none."""
        try:
            image = decode_image(data)
        except ImageRejectedError as error:
            raise ConfigError(f"the picture cannot be used: {error.reason}") from None
        with self._encoding:
            return self.encoder.encode_picture(image)

    def find_vector(self, row: int) -> Vector | None:
        """Return the (d,) unit vector of a sample, None where it has none."""
        if self.rows[row] < 0:
            return None
        vector: Vector = self.session.scan.vectors[self.rows[row]].astype(np.float32)
        return vector / max(float(np.linalg.norm(vector)), 1e-12)

    def score(self, query: Query) -> Vector:
        """Return (n,) scores of all samples, kept for the next page; those without vector last."""
        key = query.vector.tobytes()
        with self._lock:
            if key in self._scores:
                self._scores.move_to_end(key)
                return self._scores[key]
        scores = np.full(len(self.rows), -np.inf, np.float32)
        scores[self.known] = score_rows(
            self.session.scan.vectors, query.vector, self.rows[self.known]
        )
        with self._lock:
            self._scores[key] = scores
            while len(self._scores) > _SCORES:
                self._scores.popitem(last=False)
        return scores

    def take_page(
        self, query: Query, fits: Mask, *, after: int, limit: int, descending: bool = True
    ) -> tuple[RowPage, Floats]:
        """Return the page of the most similar samples that fit, and their scores.

        after: how many were shown before, less one. With descending=False the least similar.
        """
        asked = query if descending else query.reversed
        places = np.flatnonzero(fits & self.known)
        scores = self.score(query)[places]
        found = find_nearest(
            self.session.scan.vectors, asked.vector, after + 1 + limit, self.rows[places],
            scores=scores if descending else -scores,
        )  # fmt: skip
        own = slice(after + 1, after + 1 + limit)
        rows = places[found.places[own]]
        last = after + limit if after + 1 + limit < len(places) else None
        return RowPage(rows, last), found.scores[own] * (1.0 if descending else -1.0)


@dataclass
class Uploads:
    """Vectors of pictures that were sent: in memory alone, the latest ones, gone with the server.

    kept: by a name that a client cannot guess from another one.
    """

    kept: "OrderedDict[str, Vector]"

    def put(self, name: str, vector: Vector) -> None:
        """Keep a vector under a name."""
        self.kept[name] = vector
        while len(self.kept) > _UPLOADS:
            self.kept.popitem(last=False)

    def find(self, name: str) -> Vector | None:
        """Return the vector of a name, None where it is gone."""
        return self.kept.get(name)


def open_near(snapshot: Snapshot, store: Store, *, keep_texts: bool) -> NearVectors:
    """Open the vectors of a snapshot's samples; raises StoreError where there are none."""
    encoder_id, _ = choose_encoder(store, snapshot.card.encoder_id)
    scan = open_scan(store, encoder_id)
    rows = scan.find_rows(snapshot.samples["content_key"]).fill_null(-1)
    numbers = rows.to_numpy().astype(np.int64)
    if not (numbers >= 0).any():
        raise StoreError(f"{store.folder}: no sample has a vector; run `weakspot embed` first")
    session = SearchSession(
        store=store,
        scan=scan,
        card=read_card(store, encoder_id),
        samples=snapshot.samples.select(
            "sample_id", "path", "x", "y", "w", "h", "category", "parent_id", pl.Series("row", rows)
        ).filter(pl.col("row") >= 0),
        all_samples=pl.DataFrame(),
        root=snapshot.root,
    )
    return NearVectors(session, numbers, keep_texts=keep_texts)


def join_query(texts: Vector, pictures: Sequence[Vector], without: Vector, *, width: int) -> Query:
    """Make one query of words and pictures."""
    images = np.stack(pictures) if pictures else np.zeros((0, width), np.float32)
    return make_query(texts, images, without)
