"""A picture that is sent to be searched for: bounded, encoded, and never stored."""

import secrets
from email.parser import BytesParser
from email.policy import HTTP
from typing import Final

from fastapi import HTTPException, Request

from flows.api.browse.service import Service
from flows.api.security import read_body
from flows.browsing.sample_query import UPLOADED

MOST_BYTES: Final = 20 * 1024 * 1024
_FIELD = "picture"


async def read_picture(request: Request) -> bytes:
    """Return the bytes of a picture: the body itself, or the field `picture` of a form.

    Raises HTTPException for another type, too many bytes, or a form without it.
    """
    kind = request.headers.get("content-type", "")
    plain = kind.partition(";")[0].strip().lower()
    if plain.startswith("image/"):
        return await read_body(request, MOST_BYTES)
    if plain == "multipart/form-data" and len(kind) < 300 and kind.isascii():
        return _find_field(kind, await read_body(request, MOST_BYTES + 4096))
    raise HTTPException(415, "expected a picture: image/jpeg, image/png, image/webp, ...")


def keep_vector(service: Service, data: bytes) -> str:
    """Encode a picture and return the name under which `like` finds its vector.

    Only the vector is kept, in memory. Raises HTTPException without a picture, ConfigError for
    one that cannot be decoded, StoreError or EncoderError without vectors or model.
    """
    if not data:
        raise HTTPException(400, "no picture was sent")
    vector = service.browser.near.encode_picture(data)
    name = f"{UPLOADED}{secrets.token_hex(8)}"
    service.uploads.put(name, vector)
    return name


def _find_field(kind: str, body: bytes) -> bytes:
    """Return the field of a form of several parts."""
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + kind.encode("ascii") + b"\r\n\r\n" + body
    )
    for part in message.iter_parts() if message.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == _FIELD:
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else b""
    raise HTTPException(400, f"the form has no field {_FIELD!r}")
