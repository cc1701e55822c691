"""Who may ask the local server for what: the one place where requests are let in or refused.

A server on the loopback address can still be reached by any page open in a browser of this machine.
Three checks keep those out. The Host header comes first: a foreign name that was made to resolve to
127.0.0.1 (DNS rebinding) has the browser's trust, so its requests are refused whatever they ask.
Then everything that writes must come from the page itself, by Sec-Fetch-Site and Origin, which
scripts of a page cannot set. Last, other sites may link to a page but not embed what it shows.
There are no CORS headers, so nothing here can be read from elsewhere.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.api.token_access import require_token

NAMES: Final = frozenset({"127.0.0.1", "localhost"})  # of this machine, as the browser writes them
READING: Final = frozenset({"GET", "HEAD"})
MOST_BYTES: Final = 16_384  # of a form
MOST_FIELDS: Final = 16
_OWN_SITE = frozenset({"same-origin", "none"})  # "none": typed or reloaded by the user
_ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """The outermost layer of the server: refuses what must not come in, and adds its headers.

    token: that every request must bring, where the server can be reached from elsewhere.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        policy: str,
        names: Iterable[str] = NAMES,
        token: str | None = None,
    ) -> None:
        self.app = app
        self.token = token
        self.names = frozenset(names)
        self.added = {
            **_ALWAYS,
            "content-security-policy": f"{policy}; frame-ancestors 'none'",
            "cache-control": "no-store",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it with the status 403 and the reason."""
        if scope["type"] != "http":  # no lifespan is needed, no web socket is served
            return
        reason = find_refusal(scope["method"], Headers(scope=scope), names=self.names)
        app = self.app if reason is None else PlainTextResponse(f"refused: {reason}\n", 403)
        if reason is None and self.token is not None:
            app = require_token(app, scope, self.token)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.added.items():
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_guarded)


def find_refusal(method: str, headers: Headers, *, names: frozenset[str] = NAMES) -> str | None:
    """Return why a request is refused, None where it may come in.

    names: of hosts that the server answers to, on any port, so that a forwarded port works.
    """
    hosts = headers.getlist("host")
    if len(hosts) != 1 or _find_name(hosts[0]) not in names:
        return "the Host header names another machine; open the address that was printed"
    site = headers.get("sec-fetch-site")
    if method not in READING:
        return _find_foreign_writer(site, headers.getlist("origin"), hosts[0])
    if site in _OWN_SITE or site is None or headers.get("sec-fetch-mode") == "navigate":
        return None
    return "another site may not embed or read this page"


def _find_foreign_writer(site: str | None, origins: list[str], host: str) -> str | None:
    """Return why a request that would write is refused; browsers always name one of the two."""
    if site is not None and site not in _OWN_SITE:
        return "the request comes from another site (Sec-Fetch-Site)"
    if any(origin.lower() != f"http://{host.lower()}" for origin in origins):
        return "the request comes from another site (Origin)"
    if site is None and not origins:
        return "what writes must name its origin: send the header Origin"
    return None


def _find_name(host: str) -> str | None:
    """Return the name in a Host header without its port, None where it is no such header."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    plain = parts.netloc == host and "@" not in host and not (parts.path or parts.query)
    return parts.hostname if plain else None


async def read_body(request: Request, most: int) -> bytes:
    """Return the body of a request; raises HTTPException where it has more than `most` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise HTTPException(413, f"what was sent has more than {most:,} bytes")
    return bytes(body)


async def read_form(
    request: Request, *, most_bytes: int = MOST_BYTES, most_fields: int = MOST_FIELDS
) -> dict[str, str]:
    """Return the fields of a form that was sent; raises HTTPException for anything else.

    A form is small and urlencoded; a field that is given twice is refused.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "expected a form: application/x-www-form-urlencoded")
    body = await read_body(request, most_bytes)
    try:
        fields = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            max_num_fields=most_fields,
            errors="strict",
        )
    except ValueError:
        raise HTTPException(400, "the form cannot be read") from None
    form = dict(fields)
    if len(form) < len(fields):
        raise HTTPException(400, "a field of the form is given twice")
    return form
