"""The addresses that forms of pages are sent to; each sends the browser on to a page."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from flows.api.browse.service import Service
from flows.api.browse.uploads import keep_vector, read_picture
from flows.api.security import read_form
from flows.browsing.list_selections import list_selections
from flows.browsing.sample_query import SampleQuery
from flows.browsing.save_selection import MOST_PICKED, SavedAs, SaveRequest
from reports.pages.browse.addresses import address_sample, address_samples
from reports.pages.browse.selections_page import build_selections_page

_PICK = "pick-"  # begins the fields of picked samples
_MOST_BYTES = 512 * 1024


async def read_large_form(request: Request) -> dict[str, str]:
    """Read a form with many picked samples; raises HTTPException for anything else."""
    return await read_form(request, most_bytes=_MOST_BYTES, most_fields=MOST_PICKED + 16)


Form = Annotated[dict[str, str], Depends(read_large_form)]


def make_form_router(service: Service) -> APIRouter:
    """Return the routes of forms, and the page of what was saved."""
    router = APIRouter(include_in_schema=False)

    @router.get("/selections")
    def show_selections() -> HTMLResponse:
        page = build_selections_page(
            list_selections(service.browser).selections,
            name=service.browser.snapshot.card.name,
            read_only=service.read_only,
        )
        return HTMLResponse(page)

    @router.post("/selections")
    def save(form: Form) -> RedirectResponse:
        picked = tuple(
            name.removeprefix(_PICK) for name in form if name.startswith(_PICK) and form[name]
        )
        saved_as = form.get("saved_as")
        if saved_as not in {"slice", "attribute"}:
            raise HTTPException(400, "saved_as: a slice or an attribute")
        query = SampleQuery(
            where=form.get("where", ""), system=form.get("system") or None,
            text=form.get("text", ""), without=form.get("without", ""), like=form.get("like", ""),
        )  # fmt: skip
        kind: SavedAs = "slice" if saved_as == "slice" else "attribute"
        kept = service.save(SaveRequest(form.get("name", ""), kind, query, picked))
        return RedirectResponse(f"/selections#{quote(kept.name)}", 303)

    @router.post("/selections/remove")
    def remove(form: Form) -> RedirectResponse:
        service.remove(form.get("name", ""))
        return RedirectResponse("/selections", 303)

    @router.post("/labels")
    def check(form: Form) -> RedirectResponse:
        sample_id, attribute = form.get("sample_id", ""), form.get("attribute", "")
        value = form.get("value") or None
        service.check(sample_id, attribute, form.get("answer", ""), value)
        return RedirectResponse(f"{address_sample(sample_id)}#labels", 303)

    @router.post("/undo")
    def undo(form: Form) -> RedirectResponse:
        service.undo()
        back = form.get("back", "/")
        local = back.startswith("/") and not back.startswith(("//", "/\\"))
        return RedirectResponse(back if local else "/", 303)

    @router.post("/search")
    def search(picture: Annotated[bytes, Depends(read_picture)]) -> RedirectResponse:
        like = keep_vector(service, picture)
        return RedirectResponse(address_samples(like=like), 303)

    return router
