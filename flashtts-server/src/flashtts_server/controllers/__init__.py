"""The routes, by what they are about; each handler says what it takes and leaves the work to the modules above."""

from __future__ import annotations

from flashtts_server.controllers.openai import OpenAIController
from flashtts_server.controllers.pages import PagesController
from flashtts_server.controllers.roles import RolesController
from flashtts_server.controllers.sessions import SessionsController
from flashtts_server.controllers.speech import SpeechController
from flashtts_server.controllers.status import StatusController
from flashtts_server.controllers.voices import VoicesController

CONTROLLERS = (
    SpeechController,
    RolesController,
    OpenAIController,
    SessionsController,
    VoicesController,
    StatusController,
    PagesController,
)

__all__ = ["CONTROLLERS"]
