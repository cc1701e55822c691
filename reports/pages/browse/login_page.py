"""The page that asks for the token."""

from reports.pages.browse.frame import render_app_page


def build_login_page(*, problem: str = "") -> str:
    """Return the page; problem: why the last token was refused."""
    return render_app_page("login.html", name="", title="Log in", here="", problem=problem)
