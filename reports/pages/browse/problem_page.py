"""The page that says why something cannot be shown."""

from reports.pages.browse.frame import render_app_page


def build_problem_page(status: int, title: str, detail: str) -> str:
    """Return the page; everything of it is escaped."""
    return render_app_page(
        "problem.html", name="", title=title[:1].upper() + title[1:], here="", status=status,
        detail=detail,
    )  # fmt: skip
