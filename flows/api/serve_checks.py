"""The page of `weakspot check-labels`, from start to end."""

import getpass
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flows.api.check_routes import make_check_router, make_image_router
from flows.api.check_task import make_task
from flows.api.kept_draw import continue_draw
from flows.api.questionnaire import CheckTask, Offer, Questionnaire
from flows.api.sample_images import SampleImages, index_samples
from flows.api.server import make_app, serve
from flows.api.static_page import write_static_page
from flows.checks.probe_offer import propose_probe
from flows.checks.session import DrawOptions, open_session
from flows.run.resolved_audit import ResolvedAudit
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.store import Store
from reports.pages.check_page import BEHAVIOR

UNNAMED = "me"  # the checker where this machine knows no name of the user
Print = Callable[[str], None]


@dataclass(frozen=True)
class PreparedPage:
    """All that the page needs, read from the workspace.

    audit: the audit.toml, for the commands that the page offers. resolved, store: of what it says.
    """

    audit: Path
    resolved: ResolvedAudit
    store: Store
    task: CheckTask
    journal: Journal
    checker: str


def prepare_page(audit: Path, options: DrawOptions, *, show: Print) -> PreparedPage:
    """Go on with a draw of labels, or make one; a checker without a name gets that of the user.

    show: prints a line. Raises what `open_session` raises, and ConfigError for options that cannot
    be.
    """
    options = options if options.checker else replace(options, checker=find_user())
    session = open_session(audit)
    draw = continue_draw(session, options)
    for note in (*session.journal.list_faults(), *draw.notes):
        show(f"note: {note}")
    task = make_task(session, draw)
    names = task.rows["attribute"].unique().sort().to_list()
    about = f": {', '.join(names)}" if names else ""
    part = f"{draw.left:,} of " if draw.left < draw.rows.height else ""
    show(f"{part}{draw.rows.height:,} labels to check, by {options.checker}{about}")
    return PreparedPage(
        audit, session.resolved, session.store, task, session.journal, options.checker
    )


def serve_page(page: PreparedPage, *, port: int, show: Print, open_browser: bool = False) -> bool:
    """Serve the page until Ctrl-C; return whether anything was answered meanwhile.

    Raises ConfigError when the port is taken.
    """
    task = page.task
    asked = Questionnaire(
        task,
        page.journal,
        checker=page.checker,
        propose=lambda: propose_next(page),
    )
    images = SampleImages(index_samples(task.samples), task.root)
    app = make_app(
        make_check_router(lambda: asked), make_image_router(images), policy=BEHAVIOR.policy
    )

    def announce(address: str) -> None:
        show(f"Open {address} in a browser of this machine. Ctrl-C ends it.")
        if open_browser:
            webbrowser.open(address)

    before = page.journal.read()
    serve(app, port=port, announce=announce)
    state = asked.describe()
    show(f"{state.answered:,} of {state.total:,} labels have an answer of {page.checker}.")
    if state.question is not None:
        show("The same command goes on with the others.")
    show(f"Kept in {page.journal.path}. Use them: weakspot run {page.audit}")
    return not page.journal.read().equals(before)


def write_page(page: PreparedPage, *, folder: Path, show: Print) -> None:
    """Write the page as one file that needs no server, and print what to do with it.

    Raises ConfigError for a folder that cannot be written.
    """
    images = SampleImages(index_samples(page.task.samples), page.task.root)
    path, missing = write_static_page(page.task, images, checker=page.checker, folder=folder)
    show(f"wrote {path}")
    if missing:
        show(f"note: {missing:,} images cannot be shown; they are gone or broken")
    show("Open it in a browser, answer, and save the answers. Then:")
    show(f"weakspot check-labels {page.audit} --import FILE.json")


def propose_next(page: PreparedPage) -> Sequence[Offer]:
    """Return what to do once labels are checked: sentences, each with its command."""
    if page.journal.read().is_empty():
        return []
    session = open_session(page.audit)
    probe = propose_probe(session.resolved, session.store)
    return [
        *([(probe, f"weakspot label {page.audit}")] if probe else []),
        ("The next run corrects its findings for wrong labels by these answers.",
         f"weakspot run {page.audit}"),
    ]  # fmt: skip


def find_user() -> str:
    """Return the name of the user as this machine knows it, UNNAMED where it knows none."""
    try:
        return getpass.getuser() or UNNAMED
    except (OSError, KeyError, ImportError):  # a container without users
        return UNNAMED
