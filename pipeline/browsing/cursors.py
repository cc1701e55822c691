"""Where a page of samples ended, as an opaque text: a place in one order of one snapshot."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from pipeline.exceptions import ConfigError

_MARK = 6  # bytes of the digest that keeps a cursor from being made up
_LONGEST = 200


class CursorError(ConfigError):
    """A text that is no cursor, or one of another query."""


class CursorGoneError(CursorError):
    """A cursor of a snapshot that is no longer there."""


@dataclass(frozen=True)
class Cursor:
    """The place after which the next page begins.

    snapshot_id: of what was listed. asked: names the condition and the order. position: in the
    order of all samples, from 0, of the last one that was shown.
    """

    snapshot_id: str
    asked: str
    position: int

    def write(self) -> str:
        """Return it as text."""
        body = f"{self.snapshot_id} {self.asked} {self.position}".encode()
        return base64.urlsafe_b64encode(_digest(body) + body).decode("ascii").rstrip("=")


def name_query(*parts: object) -> str:
    """Return a short name of what is asked for, so that a cursor goes with no other query."""
    return hashlib.sha256("\0".join(map(repr, parts)).encode()).hexdigest()[:12]


def read_cursor(text: str, *, snapshot_id: str, asked: str) -> int:
    """Return the position that a cursor names.

    Raises CursorGoneError for one of another snapshot, CursorError for anything else that is no
    cursor of this query.
    """
    parts = _decode(text)
    if parts is None:
        raise CursorError("after: is no cursor; take `next` of the page before")
    own, query, place = parts
    if own != snapshot_id:
        raise CursorGoneError(
            "after: the samples have changed since that page; begin with the first page again"
        )
    if query != asked:
        raise CursorError("after: is the cursor of another query; take `next` of the page before")
    return place


def _decode(text: str) -> tuple[str, str, int] | None:
    """Return what a cursor holds, None for a text that is none."""
    if len(text) > _LONGEST or not text.isascii():
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    mark, body = raw[:_MARK], raw[_MARK:]
    if _digest(body) != mark:
        return None
    own, query, position = body.decode("ascii").split(" ")
    return own, query, int(position)


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_MARK, person=b"weakspot-cursor").digest()
