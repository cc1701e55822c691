"""The addresses under which labels are checked."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from flows.api.questionnaire import AnswerRefusedError, Questionnaire
from flows.api.sample_images import SampleImages
from flows.api.security import read_form
from pipeline.exceptions import StoreError
from pipeline.images.decode import ImageRejectedError
from reports.pages.check_page import BEHAVIOR, CheckState, build_check_page

PAGE = "/checks"
_KEEP = "private, max-age=3600"  # pictures only, so that the next one is there before it is asked
Form = Annotated[dict[str, str], Depends(read_form)]


def make_check_router(find: Callable[[], Questionnaire], *, alone: bool = True) -> APIRouter:
    """Return the routes of one who is asked. What writes answers with a redirect to the page.

    find: gives the questions of now. alone: whether the server has no other page.
    """
    router = APIRouter(include_in_schema=False)

    if alone:

        @router.get("/")
        def open_page() -> RedirectResponse:
            return RedirectResponse(PAGE, 307)

    @router.get(PAGE)
    def show_page(choose: str = "") -> HTMLResponse:
        return _show(find().describe(choose=_read_number(choose)))

    @router.post(f"{PAGE}/answers")
    def keep_answer(form: Form) -> Response:
        number, value = _read_number(form.get("question", "")), form.get("value", "")
        picked = _read_number(value)
        if number is None or (value and picked is None):
            raise HTTPException(400, "question and value are numbers")
        draw_id, answer = form.get("draw", ""), form.get("answer")
        asked = find()
        return _write(asked, lambda: asked.answer(draw_id, number, answer, picked))

    @router.post(f"{PAGE}/undo")
    def undo_answer(form: Form) -> Response:
        asked = find()
        return _write(asked, lambda: asked.undo(form.get("draw", "")))

    return router


def make_image_router(images: SampleImages) -> APIRouter:
    """Return the routes of pictures, and of the icon that browsers ask for."""
    router = APIRouter()

    @router.get("/images/{sample_id}")
    def show_image(sample_id: str) -> Response:
        try:
            image = images.draw(sample_id)
        except ImageRejectedError as error:
            raise HTTPException(404, f"the image cannot be shown: {error.reason}") from None
        if image is None:
            raise HTTPException(404, "there is no such sample")
        return Response(image, media_type="image/jpeg", headers={"Cache-Control": _KEEP})

    @router.get("/favicon.ico")
    def show_no_icon() -> Response:
        return Response(status_code=204)

    return router


def _write(asked: Questionnaire, write: Callable[[], None]) -> Response:
    """Write, then send the browser to the page; or show it with the reason why nothing was kept."""
    try:
        write()
    except (AnswerRefusedError, StoreError) as error:
        status = 409 if isinstance(error, AnswerRefusedError) else 500
        return _show(asked.describe(problem=str(error)), status)
    return RedirectResponse(PAGE, 303)


def _show(state: CheckState, status: int = 200) -> HTMLResponse:
    """Return the page with the policy of its own script, also where other pages have another."""
    policy = f"{BEHAVIOR.policy}; frame-ancestors 'none'"
    return HTMLResponse(build_check_page(state), status, {"Content-Security-Policy": policy})


def _read_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
