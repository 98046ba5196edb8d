"""The settings of the server: one struct, from which flags, environment variables, file keys and documentation come."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from msgspec import Meta, Struct

from flashtts_core.errors import ConfigError
from flashtts_core.settings import describe

MEBIBYTE = 1024 * 1024


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the server listens, whom it lets in, and how much it takes."""

    host: Annotated[str, describe("Address to listen on.")] = "0.0.0.0"  # noqa: S104  # a server is made to be reached
    port: Annotated[int, Meta(ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")] = 8000
    api_key: (
        Annotated[
            str,
            Meta(
                min_length=1,
                description="If set, every API request needs the header 'Authorization: Bearer <KEY>'.",
            ),
        ]
        | None
    ) = None
    model_name: (
        Annotated[str, Meta(min_length=1, description="Name under /v1/models. Left out: the name of the engine.")]
        | None
    ) = None
    ssl_keyfile: Annotated[str | None, describe("Private key of the TLS certificate (PEM).")] = None
    ssl_certfile: Annotated[str | None, describe("TLS certificate (PEM); the server then speaks https.")] = None
    max_body_size: Annotated[int, Meta(ge=1024, description="Largest request body, in bytes.")] = 16 * MEBIBYTE
    max_upload_size: Annotated[
        int, Meta(ge=1024, description="Largest reference recording, uploaded, inline or fetched, in bytes.")
    ] = 10 * MEBIBYTE
    max_input_length: Annotated[int, Meta(ge=1, description="Longest text under /v1/audio/speech, in characters.")] = (
        4096
    )
    max_concurrency: Annotated[
        int, Meta(ge=0, description="Requests that speak at the same time; 0 follows from the engine.")
    ] = 0
    max_queue: Annotated[
        int, Meta(ge=0, description="Requests that may wait for their turn; more are refused with 429.")
    ] = 64
    max_queue_wait: Annotated[
        float,
        Meta(
            ge=0,
            description="Longest time that a request may wait for its turn, in seconds; one whose turn would come "
            "later is refused at once with 429.",
        ),
    ] = 30.0
    max_stream_wait: Annotated[
        float,
        Meta(
            ge=0,
            description="The same for streamed answers, whose listeners wait for the first sound; 0: half of the time "
            "that the first sound usually takes.",
        ),
    ] = 0.0
    request_timeout: Annotated[
        float, Meta(gt=0, description="Longest time for one request, waiting and sending included, in seconds.")
    ] = 600.0
    read_timeout: Annotated[
        float,
        Meta(gt=0, description="Longest time for a request to begin, and then for its body to arrive, in seconds."),
    ] = 60.0
    send_timeout: Annotated[
        float,
        Meta(gt=0, description="Seconds after which a client that takes nothing of its answer is let go."),
    ] = 60.0
    max_sessions: Annotated[int, Meta(ge=0, description="WebSocket sessions that may be open at the same time.")] = 256
    session_idle_timeout: Annotated[
        float, Meta(gt=0, description="Seconds without a message after which an idle WebSocket session is closed.")
    ] = 60.0
    media_timeout: Annotated[
        float, Meta(gt=0, description="Longest time for fetching a reference from a URL, in seconds.")
    ] = 20.0
    allowed_media_hosts: Annotated[
        str,
        describe("Hosts, separated by commas, from which references are fetched even if their address is private."),
    ] = ""
    voice_aliases: Annotated[
        str,
        describe("Which voices OpenAI's names mean, as 'alloy=NAME,echo=NAME'; the rest go round the engine's own."),
    ] = ""
    cors_origins: Annotated[
        str,
        describe("Origins, separated by commas, whose web pages may call the API ('*': any). Empty: none but its own."),
    ] = ""
    drain_timeout: Annotated[
        int, Meta(ge=1, description="Seconds that running requests have to finish when the server is stopped.")
    ] = 30
    drain_delay: Annotated[
        float,
        Meta(
            ge=0,
            description="Seconds that the stopping server answers on with a red /ready, for balancers to notice.",
        ),
    ] = 0.0
    log_format: Annotated[
        Literal["text", "json"], describe("Lines for people, or one JSON object a line for machines.")
    ] = "text"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], describe("Least important messages that are logged.")
    ] = "info"

    @property
    def key(self) -> str | None:
        """The API key without the end of line that a file brings; raises ``ConfigError`` if it can be none."""
        if self.api_key is None:
            return None
        key = self.api_key.strip()
        if not key or any(unicodedata.category(each) == "Cc" for each in key):
            raise ConfigError("--api_key is blank or has control characters in it. Give a key that fits into a header.")
        return key


def listed(text: str) -> tuple[str, ...]:
    """Return the parts of a list that is written with commas."""
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)
