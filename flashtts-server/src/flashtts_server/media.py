"""Gets reference recordings: uploaded, inline as base64, or fetched from a URL that a stranger chose.

A fetch follows redirects itself. Every hop is resolved once, all its addresses are checked, and the connection goes to
a checked address with the host's name kept for the Host header and for TLS, so a name that resolves differently the
second time gains nothing. Bytes are counted while they arrive, and nothing is decompressed.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable

import httpx
from msgspec import Struct

from flashtts_core.errors import RequestError, TooLarge
from flashtts_core.types import Reference
from flashtts_core.voices.names import MAX_NAME_LENGTH
from flashtts_server.addresses import Address, Resolve, is_public, resolve
from flashtts_server.forms import Upload
from flashtts_server.settings import ServerSettings, listed

MAX_REDIRECTS = 5
MAX_FETCHES = 16
"""Fetches under way at the same time; more wait."""
_FETCHED = frozenset({"http", "https"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_URLSAFE = str.maketrans("-_", "+/", " \t\r\n")


class Source(Struct, frozen=True):
    """Where a reference comes from, as the request gave it; ``text`` and ``file`` name the two fields."""

    audio: str | None
    upload: Upload | None
    fields: tuple[str, str]
    transcript: str | None = None
    latent: Upload | None = None


def is_recording(voice: str) -> bool:
    """Say whether a voice is given as a recording (URL, data: URL, base64, which is longer than names) or not."""
    return _scheme(voice) in {*_FETCHED, "data"} or len(voice) > MAX_NAME_LENGTH


def _scheme(text: str) -> str | None:
    """Return the scheme of a URL that is one of those a recording comes by; case means nothing in it."""
    start = text[: len("https://")].lower()
    if start.startswith(("http://", "https://")):
        return start.partition(":")[0]
    return "data" if start.startswith("data:") else None


class MediaReader:
    """Reads reference recordings within the limits of the settings."""

    def __init__(
        self,
        settings: ServerSettings,
        *,
        resolve: Resolve = resolve,
        is_allowed: Callable[[Address], bool] = is_public,
    ) -> None:
        self._limit = settings.max_upload_size
        self._timeout = settings.media_timeout
        self._trusted = frozenset(host.lower() for host in listed(settings.allowed_media_hosts))
        self._resolve = resolve
        self._is_allowed = is_allowed
        self._fetches = asyncio.Semaphore(MAX_FETCHES)

    async def reference(self, source: Source) -> Reference:
        """Return the recording of a request; raises ``RequestError`` and ``TooLarge``."""
        text_field, file_field = source.fields
        if (source.audio is None) == (source.upload is None):
            raise RequestError(
                f"Send the recording either as {text_field} (a URL or base64) or as {file_field} (an upload).",
                param=text_field,
            )
        if source.audio is not None:
            audio = await self.inline_or_fetched(source.audio, text_field)
        else:
            audio = self._uploaded(source.upload, file_field)
        latent = None if source.latent is None else self._uploaded(source.latent, "latent_file")
        return Reference(audio, source.transcript, latent)

    async def inline_or_fetched(self, text: str, param: str) -> bytes:
        """Return the recording behind a URL, a data: URL or base64."""
        scheme = _scheme(text)
        if scheme in _FETCHED:
            return await self._fetch(text, param)
        if scheme == "data":
            head, comma, text = text.partition(",")
            if not comma or not head.lower().endswith(";base64"):
                raise RequestError("A data: URL has the form data:audio/wav;base64,... here.", param=param)
        return await asyncio.to_thread(self._decoded, text, param)

    def _uploaded(self, upload: Upload | None, param: str) -> bytes:
        assert upload is not None
        if len(upload.content) > self._limit:
            raise self._too_large(param)
        if not upload.content:
            raise RequestError(f"The file in {param} is empty; send a recording.", param=param)
        return upload.content

    def _decoded(self, text: str, param: str) -> bytes:
        if len(text) * 3 // 4 > self._limit + 2:
            raise self._too_large(param)
        plain = text.translate(_URLSAFE)
        try:
            content = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except (binascii.Error, ValueError) as error:
            raise RequestError(
                f"{param} is neither an http(s) URL nor valid base64: {error}. Send one of the two.", param=param
            ) from error
        if not content:
            raise RequestError(f"{param} is empty; send a recording.", param=param)
        return content

    async def _fetch(self, url: str, param: str) -> bytes:
        try:
            async with asyncio.timeout(self._timeout), self._fetches, _client() as client:
                return await self._follow(client, httpx.URL(url), param)
        except TimeoutError:
            raise RequestError(f"Fetching the reference took longer than {self._timeout:g} s.", param=param) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise RequestError(f"The reference cannot be fetched: {reason}.", param=param) from error

    async def _follow(self, client: httpx.AsyncClient, url: httpx.URL, param: str) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            content = await self._hop(client, url, param)
            if isinstance(content, bytes):
                return content
            url = content
        raise RequestError(f"The reference's URL redirects more than {MAX_REDIRECTS} times.", param=param)

    async def _hop(self, client: httpx.AsyncClient, url: httpx.URL, param: str) -> bytes | httpx.URL:
        """Return the content of one URL, or where it redirects to."""
        if url.scheme not in _FETCHED or not url.host:
            raise RequestError("A reference is fetched from http:// and https:// URLs only.", param=param)
        addresses = await self._checked(url, param)
        # All of it has one limit; none of the addresses may use it up before the others have been tried.
        timeout = httpx.Timeout(None, connect=self._timeout / len(addresses))
        for address in addresses:
            try:
                content = await self._get(client, _request(client, url, address, timeout), param)
                return content if isinstance(content, bytes) else url.join(content)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if address == addresses[-1]:
                    raise
        raise AssertionError("a host that was found has an address")

    async def _checked(self, url: httpx.URL, param: str) -> list[Address]:
        """Return the addresses of a URL's host; raises ``RequestError`` unless all of them may be reached."""
        try:
            addresses = await self._resolve(_host(url), url.port or (443 if url.scheme == "https" else 80))
        except RequestError as error:
            raise RequestError(str(error), param=param) from error
        if _host(url) not in self._trusted and not all(self._is_allowed(address) for address in addresses):
            raise RequestError(
                f"The host {url.host!r} of the reference is not on the public internet and is not fetched from. "
                f"Upload the recording, or allow the host with --allowed_media_hosts.",
                param=param,
            )
        return addresses

    async def _get(self, client: httpx.AsyncClient, request: httpx.Request, param: str) -> bytes | str:
        """Return the content, or where it redirects to."""
        answer = await client.send(request, stream=True)
        try:
            if answer.status_code in _REDIRECTS and "location" in answer.headers:
                return str(answer.headers["location"])
            if not answer.is_success:
                raise RequestError(f"The reference's server answered {answer.status_code}.", param=param)
            return await self._capped(answer, param)
        finally:
            await answer.aclose()

    async def _capped(self, answer: httpx.Response, param: str) -> bytes:
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise RequestError("The reference's server sends compressed data though told not to.", param=param)
        content = bytearray()
        async for piece in answer.aiter_raw():
            content += piece
            if len(content) > self._limit:
                raise self._too_large(param)
        return bytes(content)

    def _too_large(self, param: str) -> TooLarge:
        return TooLarge(
            f"{param} is larger than {self._limit} bytes. Send a shorter recording, or raise --max_upload_size.",
            param=param,
        )


def _request(client: httpx.AsyncClient, url: httpx.URL, address: Address, timeout: httpx.Timeout) -> httpx.Request:
    return client.build_request(
        "GET",
        url.copy_with(host=str(address)),
        headers={"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity"},
        extensions={"sni_hostname": _host(url)},
        timeout=timeout,
    )


def _host(url: httpx.URL) -> str:
    """Return the host as it is looked up: lower case, and punycode for other scripts."""
    return url.raw_host.decode("ascii").lower()


def _client() -> httpx.AsyncClient:
    # trust_env: a proxy of the environment would connect for us, to an address that was not checked.
    return httpx.AsyncClient(trust_env=False, follow_redirects=False)
