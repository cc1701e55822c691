"""Checks of labels on the page that browses a workspace: the same questions and keys."""

import threading

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from flows.api.browse.service import Service
from flows.api.check_routes import PAGE, make_check_router
from flows.api.check_task import make_task
from flows.api.kept_draw import continue_draw
from flows.api.questionnaire import Questionnaire
from flows.checks.session import DrawOptions, open_resolved
from flows.run.reading.kept_audit import read_kept_audit
from flows.run.resolved_audit import complete_audit
from pipeline.labels.attribute_file import read_attributes
from pipeline.workspace.database_copy import copy_database


class ServedChecks:
    """The questions about the labels of now, drawn when the page is first opened."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._asked: tuple[str, Questionnaire] | None = None

    def find(self) -> Questionnaire:
        """Return the questions of now.

        Raises ConfigError where an attribute file is gone, StoreError where nothing is labelled.
        """
        snapshot_id = self._service.browser.snapshot.snapshot_id
        with self._lock:
            if self._asked is None or self._asked[0] != snapshot_id:
                self._asked = (snapshot_id, self._draw())
            return self._asked[1]

    def _draw(self) -> Questionnaire:
        checker = self._service.checker
        with copy_database(self._service.browser.store) as copy:
            audit = read_kept_audit(copy)
            asked = audit.attributes
            used = read_attributes(asked.use, base=audit.workspace, given=asked.given)
            session = open_resolved(complete_audit(audit, used), copy)
            draw = continue_draw(session, DrawOptions(checker=checker))
            return Questionnaire(
                make_task(session, draw), session.journal, checker=checker, home="/"
            )


def make_check_pages(service: Service) -> APIRouter:
    """Return the routes of checks; of a server that writes nothing, the reason why there are none.

    A draw is noted in the workspace before it is shown, since what answers weigh follows from it.
    """
    if not service.read_only:
        return make_check_router(ServedChecks(service).find, alone=False)
    router = APIRouter(include_in_schema=False)

    @router.get(PAGE)
    def refuse() -> HTMLResponse:
        raise HTTPException(403, "this workspace is served with --read-only: nothing is checked")

    return router
