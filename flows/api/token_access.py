"""A token for a server that other machines can reach: how it is kept, and how requests bring it."""

import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Scope

from pipeline.exceptions import ConfigError

COOKIE: Final = "weakspot_token"
LOGIN: Final = "/login"
LEAST: Final = 22  # characters: 128 bits in the alphabet of URLs
_BYTES = 32
_MOST = 512


def open_token(file: Path) -> str:
    """Return the token in a file; a file that is not there is made, for its owner alone.

    Raises ConfigError for a file that others may read, and for a token that can be guessed.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(file)
    except OSError as error:
        raise ConfigError(f"--token-file {file}: cannot be written: {error.strerror}") from None
    token = secrets.token_urlsafe(_BYTES)
    with os.fdopen(descriptor, "w", encoding="ascii") as made:
        made.write(f"{token}\n")
    return token


def fits_token(given: str, token: str) -> bool:
    """Return whether what was given is the token, in a time that does not depend on it."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def require_token(app: ASGIApp, scope: Scope, token: str) -> ASGIApp:
    """Return the application for a request that brings the token, else what refuses it.

    A browser is sent to the page that asks for it.
    """
    headers = Headers(scope=scope)
    if scope["path"] == LOGIN or fits_token(_find_token(headers), token):
        return app
    if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
        return RedirectResponse(LOGIN, 303)
    return PlainTextResponse(
        "a token is needed: send the header Authorization: Bearer TOKEN\n", 401
    )


def _find_token(headers: Headers) -> str:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def _read(file: Path) -> str:
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="ascii")[:_MOST].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--token-file {file}: cannot be read: {error}") from None
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise ConfigError(f"--token-file {file}: others may read it; chmod 600 {file}")
    if len(text) < LEAST or not all(c.isalnum() or c in "-_" for c in text):
        raise ConfigError(
            f"--token-file {file}: expected at least {LEAST} letters, digits, - and _; remove the "
            "file and a new token is made"
        )
    return text
