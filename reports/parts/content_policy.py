"""What a page may do: the texts that are its style and script, and the policy that names them."""

import base64
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True)
class Behavior:
    """The style sheets of a page, its script, and whether a server is behind it.

    styles, script: files of `templates/`. served: images come from the server and forms go to it;
    otherwise the page sends nothing. files: images lie beside the page; otherwise, without a
    server, the page holds them itself.
    """

    styles: tuple[str, ...] = ("style.css",)
    script: str | None = None
    served: bool = False
    files: bool = False

    @property
    def style_text(self) -> str:
        """The style sheets, one after the other."""
        return "".join(_read(name) for name in self.styles)

    @property
    def script_text(self) -> str:
        """The script; empty for a page without one."""
        return "" if self.script is None else _read(self.script)

    @property
    def referrer(self) -> str:
        """The referrer policy.

        A form of a page that sends no referrer at all has the origin "null", which a server takes
        for another site's; so a served page names itself to its own server.
        """
        return "same-origin" if self.served else "no-referrer"

    @property
    def policy(self) -> str:
        """The Content-Security-Policy: nothing from elsewhere, style and script by their hashes."""
        source = "'self'" if self.served else "data:"
        if self.files:  # some browsers take no file:// page for 'self'
            source = "'self' file: data:"
        directives = ["default-src 'none'", f"img-src {source}"]
        directives.append(f"style-src '{hash_text(self.style_text)}'")
        if self.script is not None:
            directives.append(f"script-src '{hash_text(self.script_text)}'")
            directives += ["connect-src 'self'"] if self.served else []
        own = "'self'" if self.served else "'none'"
        return "; ".join([*directives, "base-uri 'none'", f"form-action {own}"])


STILL = Behavior()


def hash_text(text: str) -> str:
    """Return the hash of a style or script as a Content-Security-Policy names it."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


@functools.cache
def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8").replace("\r\n", "\n")
