"""The map: a picture that is a plain link, and the samples at a place of it."""

import re
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from flows.api.browse.api_routes import PREFIX, PROBLEMS, System
from flows.api.browse.service import Service
from flows.browsing.list_samples import describe_system, list_items
from flows.browsing.sample_query import MOST
from flows.browsing.show_map import AT_A_PLACE, draw_map, find_at, has_map
from pipeline.maps.density_image import SIDE
from reports.pages.browse.map_page import build_map_page
from reports.result_models import MapSamples

_CLICK = re.compile(r"(\d{1,5}),(\d{1,5})")  # what a browser adds to the address of such a link
_KEEP = "private, max-age=60"  # an address of the picture names its snapshot
Share = Annotated[float, Query(ge=0, le=1)]


def make_map_router(service: Service) -> APIRouter:
    """Return the samples at a place of the map as JSON."""
    router = APIRouter(prefix=PREFIX, tags=["read"], responses=PROBLEMS)

    @router.get("/map")
    def get_map_samples(
        x: Share, y: Share, limit: Annotated[int, Query(ge=1, le=MOST)] = AT_A_PLACE
    ) -> MapSamples:
        """List the samples nearest to a place: shares of the picture from its top left."""
        return find_at(service.browser, x, y, limit=limit)[1]

    return router


def make_map_pages(service: Service) -> APIRouter:
    """Return the map as a page and a picture."""
    router = APIRouter(include_in_schema=False)

    @router.get("/map")
    def show_map(system: System = None) -> HTMLResponse:
        return _show(service, system or None)

    @router.get("/map/picture")
    def show_picture(system: System = None) -> Response:
        named = service.browser.snapshot.find_system(system or None)
        image = draw_map(service.browser, named)
        return Response(image, media_type="image/webp", headers={"Cache-Control": _KEEP})

    @router.get("/map/at")
    def show_place(
        request: Request, x: str = "", y: str = "", system: System = None
    ) -> HTMLResponse:
        return show_clicked(request.url.query, x, y, system or None)

    @router.get("/map/at/{system:path}")
    def show_place_by(request: Request, system: str) -> HTMLResponse:
        """Show a clicked place: a browser puts nothing but the place behind the address."""
        return show_clicked(request.url.query, "", "", system)

    def show_clicked(query: str, x: str, y: str, system: str | None) -> HTMLResponse:
        clicked = _CLICK.fullmatch(query)
        try:
            place = (
                (float(x), float(y))
                if not clicked
                else (int(clicked[1]) / SIDE, int(clicked[2]) / SIDE)
            )
        except ValueError:
            raise HTTPException(400, "x and y are shares of the picture, 0 to 1") from None
        if not all(0 <= one <= 1 for one in place):
            raise HTTPException(400, "x and y are shares of the picture, 0 to 1")
        return _show(service, system, place)

    return router


def _show(
    service: Service, system: str | None, place: tuple[float, float] | None = None
) -> HTMLResponse:
    browser = service.browser
    named = browser.snapshot.find_system(system)
    items = []
    if place is not None:
        rows, _ = find_at(browser, *place)
        items = list_items(browser.snapshot, rows, named)
    known = [describe_system(one) for one in browser.snapshot.card.systems]
    page = build_map_page(
        items,
        name=browser.snapshot.card.name,
        system=describe_system(named),
        systems=[one for one in known if one is not None],
        place=place,
        side=SIDE,
        snapshot_id=browser.snapshot.snapshot_id,
        there=has_map(browser),
    )
    return HTMLResponse(page)
