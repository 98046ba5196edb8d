"""The web interface and the documentation of the API: static pages that load nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files

from litestar import Controller, MediaType, Response, get
from litestar.response import Redirect

from flashtts_server.guards import PUBLIC
from flashtts_server.scope import AnyRequest

WEB = files("flashtts_server") / "web"
POLICY = (
    "default-src 'self'; media-src 'self' blob:; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""Scripts and styles come from files of this server only; audio is played from memory."""


class PagesController(Controller):
    """The pages for people."""

    include_in_schema = False
    opt = PUBLIC

    @get("/", media_type=MediaType.HTML, sync_to_thread=False)
    def index(self) -> Response[str]:
        """Return the web interface."""
        return _page("index.html")

    @get("/docs", media_type=MediaType.HTML, sync_to_thread=False)
    def docs(self, request: AnyRequest) -> Response[str] | Redirect:
        """Return the documentation of the API; its links are relative, so it has one address."""
        return Redirect("../docs") if request.scope["raw_path"].endswith(b"/") else _page("docs.html")

    @get("/openapi.json", media_type=MediaType.JSON, sync_to_thread=False)
    def openapi(self, request: AnyRequest) -> Response[bytes]:
        """Return the description of the API."""
        return Response(request.app.state.description, media_type=MediaType.JSON)


def _page(name: str) -> Response[str]:
    return Response(
        (WEB / name).read_text(encoding="utf-8"),
        media_type=MediaType.HTML,
        headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"},
    )
