"""The addresses of pages: the answers of the API as HTML."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from flows.api.browse.api_routes import System, read_query
from flows.api.browse.service import THUMBNAIL, Service
from flows.browsing.list_findings import find_finding, list_findings
from flows.browsing.list_samples import describe_system, list_samples
from flows.browsing.sample_query import PAGE, UPLOADED, SampleQuery
from flows.browsing.show_sample import show_sample
from pipeline.exceptions import ConfigError
from pipeline.images.decode import ImageRejectedError
from reports.browse_models import FindingItem, SamplePage, SystemItem
from reports.pages.browse.findings_page import build_findings_page
from reports.pages.browse.sample_page import build_sample_page
from reports.pages.browse.samples_page import build_samples_page

_KEEP = "private, max-age=3600"  # pictures only
Asked = Annotated[SampleQuery, Depends(read_query)]


def make_page_router(service: Service) -> APIRouter:
    """Return the routes of pages that read."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def show_findings() -> HTMLResponse:
        return HTMLResponse(build_findings_page(list_findings(service.browser)))

    @router.get("/findings/{rank}")
    def show_finding(rank: int, system: System = None) -> HTMLResponse:
        finding = find_finding(service.browser, rank, system)
        asked = SampleQuery(where=finding.where, system=finding.system)
        return _show_samples(service, asked, finding=finding)

    @router.get("/samples")
    def show_samples(asked: Asked) -> HTMLResponse:
        return _show_samples(service, asked)

    @router.get("/samples/{sample_id}")
    def show_one_sample(sample_id: str, system: System = None) -> HTMLResponse:
        browser = service.browser
        page = build_sample_page(
            show_sample(browser, sample_id, system),
            name=browser.snapshot.card.name,
            systems=_list_systems(service),
            read_only=service.read_only,
        )
        return HTMLResponse(page)

    return router


def make_picture_router(service: Service) -> APIRouter:
    """Return the routes of pictures, by sample_id alone, and of the icon that browsers ask for."""
    router = APIRouter(include_in_schema=False)

    @router.get("/images/{sample_id}")
    def show_image(sample_id: str, thumbnail: str = "", whole: str = "") -> Response:
        try:
            if thumbnail:
                image = service.thumbnails.draw(sample_id, side=THUMBNAIL)
            else:
                image = service.images.draw(sample_id, whole=bool(whole))
        except ImageRejectedError as error:
            raise HTTPException(404, f"the image cannot be shown: {error.reason}") from None
        if image is None:
            raise HTTPException(404, "there is no such sample")
        return Response(image, media_type="image/jpeg", headers={"Cache-Control": _KEEP})

    @router.get("/favicon.ico")
    def show_no_icon(_: Request) -> Response:
        return Response(status_code=204)

    return router


def _show_samples(
    service: Service, asked: SampleQuery, *, finding: FindingItem | None = None
) -> HTMLResponse:
    """Return a page of samples; of a condition that cannot be read, its form with the reason."""
    browser = service.browser
    problem, status = "", 200
    try:
        page = list_samples(browser, asked, service.uploads)
    except ConfigError as error:
        if asked.after:
            raise
        problem, status = str(error), 400
        page = _make_empty(service, asked)
    html = build_samples_page(
        page,
        name=browser.snapshot.card.name,
        asked=_list_parts(asked),
        systems=_list_systems(service),
        sorts=list_sorts(service),
        finding=finding,
        similar=_name_similar(service, asked),
        problem=problem,
        read_only=service.read_only,
    )
    return HTMLResponse(html, status)


def list_sorts(service: Service) -> list[tuple[str, str]]:
    """Return the orders that a list of samples is offered in, each with its words."""
    sorts = [("-error", "largest error"), ("error", "smallest error")]
    for one in service.browser.snapshot.card.attributes:
        if f"margin.{one.name}" in service.browser.snapshot.samples.columns:
            sorts += [(f"margin.{one.name}", f"least certain {one.name}"),
                      (f"-score.{one.name}", f"most certain {one.name}")]  # fmt: skip
    return [*sorts, ("path", "path")]


def _list_systems(service: Service) -> list[SystemItem]:
    found = [describe_system(one) for one in service.browser.snapshot.card.systems]
    return [one for one in found if one is not None]


def _list_parts(asked: SampleQuery) -> Mapping[str, str]:
    return {
        "where": asked.where, "sort": asked.sort, "system": asked.system or "",
        "text": asked.text, "without": asked.without, "like": asked.like,
        "limit": "" if asked.limit == PAGE else str(asked.limit), "after": asked.after,
    }  # fmt: skip


def _name_similar(service: Service, asked: SampleQuery) -> str:
    if not asked.like:
        return asked.text
    if asked.like.startswith(UPLOADED):
        return "the picture that was sent"
    row = service.browser.snapshot.find_row(asked.like)
    return asked.like if row is None else str(service.browser.snapshot.samples["path"][row])


def _make_empty(service: Service, asked: SampleQuery) -> SamplePage:
    snapshot = service.browser.snapshot
    known = [one for one in _list_systems(service) if one.name == asked.system]
    return SamplePage(
        snapshot_id=snapshot.snapshot_id, where=asked.where, sort=asked.sort, text=asked.text,
        without=asked.without, like=asked.like, system=next(iter(known), None), total=0,
        samples=snapshot.samples.height, items=[], next=None, evidence=None, held_out=None,
    )  # fmt: skip
