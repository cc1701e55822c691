"""The addresses of what runs left: regions, groups, attributes and runs, as JSON and as pages."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from flows.api.browse.api_routes import PREFIX, PROBLEMS, System
from flows.api.browse.service import Service
from flows.browsing.list_attributes import find_attribute, list_attributes
from flows.browsing.list_results import compare_runs, list_groups, list_regions, list_runs
from flows.browsing.list_samples import describe_system
from reports.browse_models import SystemItem
from reports.pages.browse.attribute_pages import build_attribute_page, build_attributes_page
from reports.pages.browse.result_pages import (
    build_groups_page,
    build_regions_page,
    build_run_comparison_page,
    build_runs_page,
)
from reports.result_models import (
    AttributeItem,
    AttributeList,
    GroupList,
    RegionList,
    RunComparison,
    RunList,
)

RunId = Annotated[str, Query(max_length=60, description="A run_id, or how it begins.")]


def make_result_router(service: Service) -> APIRouter:
    """Return the routes of results as JSON."""
    router = APIRouter(prefix=PREFIX, tags=["read"], responses=PROBLEMS)

    @router.get("/regions")
    def get_regions() -> RegionList:
        """List the weak regions that were searched last."""
        return list_regions(service.browser)

    @router.get("/groups")
    def get_groups() -> GroupList:
        """List the groups that were compared last, with what the gates say."""
        return list_groups(service.browser)

    @router.get("/attributes")
    def get_attributes(system: System = None) -> AttributeList:
        """List the attributes in use, with how good their labels are."""
        return list_attributes(service.browser, system or None)

    @router.get("/attributes/{name:path}")
    def get_attribute(name: str, system: System = None) -> AttributeItem:
        """Return one attribute."""
        return find_attribute(service.browser, name, system or None)

    @router.get("/runs")
    def get_runs() -> RunList:
        """List the runs, the newest first."""
        return list_runs(service.browser)

    @router.get("/comparison")
    def get_comparison(
        before: RunId = "", after: RunId = "", system: System = None, after_system: System = None
    ) -> RunComparison:
        """Compare two runs slice by slice."""
        return compare_runs(
            service.browser, before, after, system=system or None,
            after_system=after_system or None,
        )  # fmt: skip

    return router


def make_result_pages(service: Service) -> APIRouter:
    """Return the same as pages."""
    router = APIRouter(include_in_schema=False)

    def read_name() -> str:
        return service.browser.snapshot.card.name

    def list_systems() -> list[SystemItem]:
        found = [describe_system(one) for one in service.browser.snapshot.card.systems]
        return [one for one in found if one is not None]

    @router.get("/regions")
    def show_regions() -> HTMLResponse:
        data = list_regions(service.browser)
        return HTMLResponse(build_regions_page(data, list_systems(), name=read_name()))

    @router.get("/groups")
    def show_groups() -> HTMLResponse:
        data = list_groups(service.browser)
        return HTMLResponse(build_groups_page(data, list_systems(), name=read_name()))

    @router.get("/attributes")
    def show_attributes(system: System = None) -> HTMLResponse:
        data = list_attributes(service.browser, system or None)
        return HTMLResponse(build_attributes_page(data, name=read_name()))

    @router.get("/attributes/{name:path}")
    def show_attribute(name: str, system: System = None) -> HTMLResponse:
        named = service.browser.snapshot.find_system(system or None)
        found = find_attribute(service.browser, name, system or None)
        page = build_attribute_page(found, describe_system(named), name=read_name())
        return HTMLResponse(page)

    @router.get("/runs")
    def show_runs() -> HTMLResponse:
        return HTMLResponse(build_runs_page(list_runs(service.browser), name=read_name()))

    @router.get("/runs/compare")
    def show_comparison(
        before: RunId = "", after: RunId = "", system: System = None, after_system: System = None
    ) -> HTMLResponse:
        data = compare_runs(
            service.browser, before, after, system=system or None,
            after_system=after_system or None,
        )  # fmt: skip
        return HTMLResponse(build_run_comparison_page(data, name=read_name()))

    return router
