"""How the server is, and what it serves."""

from __future__ import annotations

from litestar import Controller, Response, get
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE

from flashtts_server.guards import PUBLIC
from flashtts_server.replies import Health, ServerInfo
from flashtts_server.service import SharedService


class StatusController(Controller):
    """Health, readiness, metrics, and what is served."""

    tags = ("Server",)

    @get(["/server_info", "/v1/server_info"], summary="Tell what is served")
    async def server_info(self, service: SharedService) -> ServerInfo:
        """Engine, roles, sample rate, version, abilities and limits."""
        return await service.info()

    @get(["/health", "/v1/health"], summary="Is it alive?", opt=PUBLIC, sync_to_thread=False)
    def health(self, service: SharedService) -> Response[Health]:
        """200 while the process lives and its backend is not dead, also while the model is being loaded."""
        dead = service.status == "dead"
        return Response(
            Health("dead" if dead else "ok"), status_code=HTTP_503_SERVICE_UNAVAILABLE if dead else HTTP_200_OK
        )

    @get(["/ready", "/v1/ready"], summary="Is it ready?", opt=PUBLIC, sync_to_thread=False)
    def ready(self, service: SharedService) -> Response[Health]:
        """200 once the model is loaded and warm, until the server is told to stop."""
        status = service.status
        return Response(Health(status), status_code=HTTP_200_OK if status == "ready" else HTTP_503_SERVICE_UNAVAILABLE)

    @get(["/metrics", "/v1/metrics"], summary="Metrics for Prometheus", media_type="text/plain", sync_to_thread=False)
    def metrics(self, service: SharedService) -> Response[bytes]:
        """Requests, latency, audio made, and how full the server is."""
        content, content_type = service.metrics.render()
        return Response(content, headers={"Content-Type": content_type})
