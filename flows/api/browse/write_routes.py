"""The addresses under /api/v1 that search by a picture, save, and keep answers."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from flows.api.browse.api_routes import PREFIX, PROBLEMS, System
from flows.api.browse.service import Service
from flows.api.browse.uploads import keep_vector, read_picture
from flows.browsing.check_label import ANSWERS
from flows.browsing.list_samples import list_samples
from flows.browsing.list_selections import describe_selection, list_selections
from flows.browsing.sample_query import LONGEST_TEXT, MOST, PAGE, SampleQuery
from flows.browsing.save_selection import MOST_PICKED, SavedAs, SaveRequest
from pipeline.browsing.conditions import MOST_CHARACTERS
from reports.browse_models import SamplePage
from reports.saved_models import CheckItem, SelectionItem, SelectionList, Undone

_REFUSED: dict[int | str, dict[str, Any]] = {
    status: {**PROBLEMS[400], "description": text}
    for status, text in (
        (403, "The request comes from another site, or nothing may be written here."),
        (413, "What was sent is too large."),
        (415, "What was sent is of another type."),
    )
}
_PICTURE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]


class SelectionRequest(BaseModel):
    """What to save. sample_ids: picked by hand; none for all that fit the rest."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=100)
    saved_as: str = Field(pattern="^(slice|attribute)$")
    where: str = Field(default="", max_length=MOST_CHARACTERS)
    text: Text = ""
    without: Text = ""
    like: Text = ""
    system: str | None = None
    sample_ids: list[str] = Field(default_factory=list, max_length=MOST_PICKED)


class CheckRequest(BaseModel):
    """An answer to the label that a sample has now. value: what is true instead, where known."""

    model_config = ConfigDict(extra="forbid")

    sample_id: str = Field(max_length=200)
    attribute: str = Field(max_length=200)
    answer: str = Field(pattern=f"^({'|'.join(ANSWERS)})$")
    value: str | None = Field(default=None, max_length=200)


def make_write_router(service: Service) -> APIRouter:
    """Return the routes that change something, and the list of what was saved."""
    router = APIRouter(prefix=PREFIX, tags=["write"], responses={**PROBLEMS, **_REFUSED})

    @router.post("/search", openapi_extra=_PICTURE)
    def search_picture(
        picture: Annotated[bytes, Depends(read_picture)],
        where: Annotated[str, Query(max_length=MOST_CHARACTERS)] = "",
        system: System = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE,
    ) -> SamplePage:
        """List the samples most like a picture; `like` of the answer names it for more pages."""
        like = keep_vector(service, picture)
        asked = SampleQuery(where=where, system=system or None, like=like, limit=limit)
        return list_samples(service.browser, asked, service.uploads)

    @router.get("/selections")
    def get_selections() -> SelectionList:
        """List what was saved, each slice with its evidence as of now."""
        return list_selections(service.browser)

    @router.post("/selections", status_code=201)
    def post_selection(body: SelectionRequest) -> SelectionItem:
        """Save a slice or an attribute; the next run searches an attribute."""
        query = SampleQuery(
            where=body.where, system=body.system or None, text=body.text, without=body.without,
            like=body.like,
        )  # fmt: skip
        saved_as: SavedAs = "slice" if body.saved_as == "slice" else "attribute"
        request = SaveRequest(body.name, saved_as, query, tuple(body.sample_ids))
        return describe_selection(service.browser, service.save(request))

    @router.delete("/selections/{name}")
    def delete_selection(name: str) -> Undone:
        """Forget a selection and remove the files that it wrote."""
        return Undone(service.remove(name))

    @router.post("/checks", status_code=201)
    def post_check(body: CheckRequest) -> CheckItem:
        """Keep an answer to one label; it is on disk when this returns."""
        kept = service.check(body.sample_id, body.attribute, body.answer, body.value)
        return CheckItem(
            sample_id=kept.sample_id, attribute=kept.attribute, shown=kept.shown,
            answer=kept.answer, value=kept.value, checker=kept.checker,
        )  # fmt: skip

    @router.post("/undo")
    def post_undo(_: Request) -> Undone:
        """Take back what was saved or answered last since the server started."""
        return Undone(service.undo())

    return router
