"""The page that asks for the token of a server that other machines can reach."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from flows.api.security import read_form
from flows.api.token_access import COOKIE, LOGIN, fits_token
from reports.pages.browse.login_page import build_login_page

_WAIT = 0.5  # seconds after a wrong token


def make_login_router(token: str) -> APIRouter:
    """Return the routes that take the token and give a cookie that scripts cannot read."""
    router = APIRouter(include_in_schema=False)

    @router.get(LOGIN)
    def show_login() -> HTMLResponse:
        return HTMLResponse(build_login_page())

    @router.post(LOGIN)
    async def log_in(form: Annotated[dict[str, str], Depends(read_form)]) -> Response:
        if not fits_token(form.get("token", "").strip(), token):
            await asyncio.sleep(_WAIT)
            return HTMLResponse(build_login_page(problem="That is not the token."), 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/")
        return answer

    return router
