"""The addresses under /api/v1: what the pages show, as JSON."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from flows.api.browse.problems import MEDIA, NotModifiedError
from flows.api.browse.service import Service
from flows.browsing.list_findings import find_finding, list_findings
from flows.browsing.list_samples import list_samples, write_ids
from flows.browsing.sample_query import LONGEST_TEXT, MOST, PAGE, SampleQuery
from flows.browsing.show_sample import show_sample
from pipeline.browsing.conditions import MOST_CHARACTERS
from reports.browse_models import FindingItem, FindingList, Problem, SampleDetail, SamplePage

PREFIX = "/api/v1"
_PROBLEM: dict[str, Any] = {"model": Problem, "content": {MEDIA: {}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {**_PROBLEM, "description": text}
    for status, text in (
        (400, "What is asked for cannot be; `detail` says why."),
        (404, "There is no such thing."),
        (410, "The cursor is of a snapshot that is gone."),
        (422, "A parameter is not of its type."),
        (503, "The workspace or its model cannot answer now."),
    )
}
System = Annotated[str | None, Query(description="Whose error is meant; the first by default.")]


def read_query(
    where: Annotated[
        str, Query(max_length=MOST_CHARACTERS, description="A condition: hat = yes and error > 0.")
    ] = "",
    sort: Annotated[
        str, Query(max_length=200, description="A name of conditions; -NAME: the largest first.")
    ] = "",
    system: System = None,
    text: Annotated[str, Query(max_length=LONGEST_TEXT, description="Words to search for.")] = "",
    without: Annotated[
        str, Query(max_length=LONGEST_TEXT, description="Words that it shall not be.")
    ] = "",
    like: Annotated[
        str, Query(max_length=200, description="A sample_id, or the name of a sent picture.")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=MOST, description="Samples of one page.")] = PAGE,
    after: Annotated[str, Query(max_length=400, description="`next` of the page before.")] = "",
) -> SampleQuery:
    """Read the parameters of a list of samples."""
    return SampleQuery(where, sort, system or None, text, without, like, limit, after)


Asked = Annotated[SampleQuery, Depends(read_query)]


def make_api_router(service: Service) -> APIRouter:
    """Return the routes that read. Each answer has an ETag that changes with the snapshot."""

    def check_etag(request: Request, response: Response) -> None:
        state = f"{service.browser.snapshot.snapshot_id} {request.url.path} {request.url.query}"
        tag = f'W/"{hashlib.sha256(state.encode()).hexdigest()[:20]}"'
        response.headers["ETag"] = tag
        response.headers["Cache-Control"] = "private, no-cache"
        if tag in request.headers.get("if-none-match", ""):
            raise NotModifiedError

    router = APIRouter(
        prefix=PREFIX, tags=["read"], responses=PROBLEMS, dependencies=[Depends(check_etag)]
    )

    @router.get("/findings")
    def get_findings() -> FindingList:
        """List the findings of the last search."""
        return list_findings(service.browser)

    @router.get("/findings/{rank}")
    def get_finding(rank: int, system: System = None) -> FindingItem:
        """Return one finding."""
        return find_finding(service.browser, rank, system)

    @router.get("/samples")
    def get_samples(asked: Asked) -> SamplePage:
        """List samples that fit a condition, in an order, or by similarity."""
        return list_samples(service.browser, asked, service.uploads)

    @router.get("/ids", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
    def get_ids(asked: Asked) -> Response:
        """Return sample_id and path of all samples that fit a condition, as CSV."""
        text = write_ids(service.browser, asked)
        name = {"Content-Disposition": 'attachment; filename="samples.csv"'}
        return Response(text, media_type="text/csv", headers=name)

    @router.get("/samples/{sample_id}")
    def get_sample(sample_id: str, system: System = None) -> SampleDetail:
        """Return all that is known of one sample."""
        return show_sample(service.browser, sample_id, system)

    return router
