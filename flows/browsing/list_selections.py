"""What was saved, each slice with its evidence as of now."""

from dataclasses import asdict

from flows.browsing.browser import Browser
from flows.browsing.list_samples import describe_system
from pipeline.exceptions import ConfigError
from pipeline.workspace.kept.kept_selections import Selection, SelectionJournal
from reports.browse_models import Evidence
from reports.saved_models import SelectionItem, SelectionList


def list_selections(browser: Browser) -> SelectionList:
    """Return the selections of a workspace, the newest first."""
    saved = SelectionJournal(browser.store.folder).read()
    return SelectionList([describe_selection(browser, one) for one in reversed(saved)])


def describe_selection(browser: Browser, one: Selection) -> SelectionItem:
    """Return one selection; of a slice with how its system does on it now."""
    system = evidence = held_out = None
    problem = ""
    try:
        system = browser.snapshot.find_system(one.system)
        if one.saved_as == "slice" and system is not None:
            fits = browser.select(one.where, system)
            evidence = Evidence(**asdict(browser.weigh(one.where, fits, system)))
            held = browser.weigh_held_out(one.where, fits, system)
            held_out = None if held is None else Evidence(**asdict(held))
    except ConfigError as error:  # an attribute or system that is no longer there
        problem = str(error)
    return SelectionItem(
        name=one.name, saved_as=one.saved_as, n=one.n, where=one.where, text=one.text,
        without=one.without, like=one.like, picked=one.picked, file=one.file,
        saved_at=one.saved_at, system=describe_system(system), evidence=evidence,
        held_out=held_out, problem=problem,
    )  # fmt: skip
