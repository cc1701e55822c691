"""Errors as answers: problem+json (RFC 9457) of the API, a page of its own elsewhere."""

from dataclasses import asdict
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from pipeline.browsing.cursors import CursorGoneError
from pipeline.exceptions import ConditionError, ConfigError, NotFoundError, WeakspotError
from reports.browse_models import Problem
from reports.pages.browse.problem_page import build_problem_page

API: Final = "/api/"
MEDIA: Final = "application/problem+json"
_TITLES: Final = {
    400: "the request cannot be", 401: "a token is needed", 403: "refused", 404: "not there",
    405: "not allowed", 409: "it does not fit what is there", 410: "gone", 413: "too large",
    415: "of another type", 422: "the request cannot be", 500: "it failed",
    503: "the workspace cannot answer",
}  # fmt: skip


class NotModifiedError(Exception):
    """The client has this answer already."""


def find_status(error: WeakspotError) -> int:
    """Return the status that an error of ours is answered with."""
    if isinstance(error, CursorGoneError):
        return 410
    if isinstance(error, NotFoundError):
        return 404
    return 400 if isinstance(error, ConfigError) else 503


def add_handlers(app: FastAPI) -> None:
    """Have an application answer its errors in words."""
    app.add_exception_handler(WeakspotError, _explain)
    app.add_exception_handler(HTTPException, _explain_status)
    app.add_exception_handler(RequestValidationError, _explain_fault)
    app.add_exception_handler(NotModifiedError, lambda _request, _error: Response(status_code=304))


def answer_problem(
    request: Request, status: int, detail: str, *, position: int | None = None
) -> Response:
    """Return an error as JSON of the API or as a page."""
    title = _TITLES.get(status, "it failed")
    if not request.url.path.startswith(API):
        return HTMLResponse(build_problem_page(status, title, detail), status)
    problem = Problem("about:blank", title, status, detail, position)
    return JSONResponse(asdict(problem), status, media_type=MEDIA)


def _explain(request: Request, error: Exception) -> Response:
    assert isinstance(error, WeakspotError)  # noqa: S101 - what the handler is registered for
    position = error.position if isinstance(error, ConditionError) else None
    return answer_problem(request, find_status(error), str(error), position=position)


def _explain_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is registered for
    return answer_problem(request, error.status_code, str(error.detail))


def _explain_fault(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    faults = [f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()]
    return answer_problem(request, 422, "; ".join(faults))
