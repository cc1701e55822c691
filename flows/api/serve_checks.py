"""The page of `weakspot check-labels`, from start to end."""

import getpass
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from flows.api.check_routes import make_check_router, make_image_router
from flows.api.check_task import make_task
from flows.api.kept_draw import continue_draw
from flows.api.questionnaire import CheckTask, Offer, Questionnaire
from flows.api.sample_images import SampleImages
from flows.api.server import make_app, serve
from flows.api.static_page import write_static_page
from flows.checks.session import CheckSession, DrawOptions
from reports.pages.check_page import BEHAVIOR

NOBODY = "me"  # the checker where this machine knows no name of the user
Print = Callable[[str], None]


def serve_page(
    session: CheckSession,
    options: DrawOptions,
    *,
    audit: Path,
    port: int,
    show: Print,
    open_browser: bool = False,
) -> None:
    """Serve the page until Ctrl-C; a checker without a name gets that of the user.

    audit: the audit.toml, for the commands that the page offers. show: prints a line. Raises
    ConfigError for options that cannot be and a port that is taken.
    """
    options = _name_checker(options)
    task = _prepare(session, options, show)
    asked = Questionnaire(
        task,
        session.journal,
        checker=options.checker,
        propose=lambda checks: propose_next(audit, checks),
    )
    images = SampleImages(task.samples, task.root)
    app = make_app(make_check_router(asked), make_image_router(images), policy=BEHAVIOR.policy)

    def announce(address: str) -> None:
        show(f"Open {address} in a browser of this machine. Ctrl-C ends it.")
        if open_browser:
            webbrowser.open(address)

    serve(app, port=port, announce=announce)
    left = asked.describe()
    show(f"{left.answered:,} of {left.total:,} labels have an answer of {options.checker}.")
    again = "the same command goes on with the others; " if left.answered < left.total else ""
    show(f"Kept in {session.journal.path}; {again}then: weakspot run {audit}")


def write_page(
    session: CheckSession, options: DrawOptions, *, folder: Path, audit: Path, show: Print
) -> None:
    """Write the page as one file that needs no server, and print what to do with it.

    Raises ConfigError for options that cannot be and a folder that cannot be written.
    """
    options = _name_checker(options)
    task = _prepare(session, options, show)
    images = SampleImages(task.samples, task.root)
    path, missing = write_static_page(task, images, checker=options.checker, folder=folder)
    show(f"wrote {path}")
    if missing:
        show(f"note: {missing:,} images cannot be shown; they are gone or broken")
    show("Open it in a browser, answer, and save the answers. Then:")
    show(f"weakspot check-labels {audit} --import FILE.json")


def propose_next(audit: Path, checks: pl.DataFrame) -> Sequence[Offer]:
    """Return what to do once labels are checked: sentences, each with its command."""
    if checks.is_empty():
        return []
    return [("Use the answers: findings are corrected for wrong labels.", f"weakspot run {audit}")]


def _name_checker(options: DrawOptions) -> DrawOptions:
    if options.checker:
        return options
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without users
        name = NOBODY
    return replace(options, checker=name)


def _prepare(session: CheckSession, options: DrawOptions, show: Print) -> CheckTask:
    draw = continue_draw(session, options)
    for note in draw.notes:
        show(f"note: {note}")
    task = make_task(session, draw)
    names = task.rows["attribute"].unique().sort().to_list()
    show(f"{task.rows.height:,} labels to check, by {options.checker}: {', '.join(names)}")
    return task
