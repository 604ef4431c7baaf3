"""The web page, as built by `make page` and shipped inside the package."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).with_name("static")
# No script from elsewhere and none inline. 'unsafe-eval' stays: whoever drives the page to test or diagnose it
# (Playwright's wait_for_function, say) evaluates expressions in it; the page itself never does.
CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self' ws: wss:; img-src 'self' data: blob:; media-src 'self' blob:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
}


class Page:
    """The routes of the page and its files."""

    def routes(self) -> list[BaseRoute]:
        """For a Starlette app; assets carry their hash in the name and are kept by browsers for good."""
        return [
            Route("/", self.index),
            Route("/doctor", self.index),  # the page looks at its own address
            Route("/doctor/", self.without_slash),
            Mount("/assets", _Assets(directory=STATIC / "assets", check_dir=False)),
            Route("/{name:path}", self.file),
        ]

    async def index(self, request: Request) -> Response:
        """The page itself."""
        path = STATIC / "index.html"
        if not path.exists():
            return PlainTextResponse("The page is not built: run `make page`.\n", 503)
        return FileResponse(path, headers=HEADERS | {"Cache-Control": "no-cache"})

    async def without_slash(self, request: Request) -> Response:
        """Below `/doctor/` the page would look for its files where there are none."""
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"../doctor{query}")

    async def file(self, request: Request) -> Response:
        """A file beside the page, such as the icon."""
        name = request.path_params["name"]
        path = STATIC / name
        if "/" in name or name.startswith(".") or len(name) > 100 or not path.is_file():
            return PlainTextResponse("Not found\n", 404, HEADERS)
        return FileResponse(path, headers=HEADERS | {"Cache-Control": "no-cache"})


class _Assets(StaticFiles):
    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
