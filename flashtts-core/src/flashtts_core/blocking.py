"""Speech for scripts and notebooks: the synthesizer behind calls that block, on an event loop of its own.

This is a thin front: every call runs one coroutine of ``Synthesizer`` on a thread (``flashtts-loop``), so it also works
where an event loop is already running, as in a notebook.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from flashtts_core.audio.encode import encode_whole
from flashtts_core.audio.formats import FORMATS, AudioFormat
from flashtts_core.errors import EngineError, RequestError
from flashtts_core.host import load
from flashtts_core.settings import Settings
from flashtts_core.stream import AudioStream
from flashtts_core.types import AudioChunk, Reference, SpeechRequest, VoiceChoice

T = TypeVar("T")


class Speaker:
    """An open model for code without asyncio; close it, or use it as ``with``.

    Opening takes as long as loading the model does and raises ``ConfigError`` and its kin.
    """

    def __init__(
        self, model_path: str | None = None, backend: str | None = None, settings: Settings | None = None
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="flashtts-loop")
        self._thread.start()
        try:
            self.synthesizer = self._run(load(model_path, backend, settings))
        except BaseException:
            self._stop()
            raise

    def speak(self, text: str | SpeechRequest, voice: VoiceChoice = None) -> AudioChunk:
        """Return the speech of a text (mono float32); ``voice`` is a name, a ``Reference`` to clone, or the default."""
        return self._run(self._read(_request(text, voice)))

    def stream(self, text: str | SpeechRequest, voice: VoiceChoice = None) -> Iterator[AudioChunk]:
        """Yield the speech of a text while it is made."""
        stream = self._run(self.synthesizer.open(_request(text, voice)))
        try:
            while (chunk := self._run(_next(stream))) is not None:
                yield chunk
        finally:
            if self._thread.is_alive():  # a speaker that is closed has closed its streams
                self._run(stream.aclose())

    def save(self, text: str | SpeechRequest, out: str | Path, voice: VoiceChoice = None) -> Path:
        """Speak a text into an audio file; the format follows from its ending (wav without one). Returns the path."""
        path = Path(out)
        kind = _format_for(path)
        chunk = self.speak(text, voice)
        path.write_bytes(encode_whole(chunk.samples, chunk.sample_rate, kind))
        return path

    def voices(self) -> list[str]:
        """Return the names of all voices."""
        return self._run(self.synthesizer.voices.names())

    def add_voice(self, name: str, reference: Reference, *, overwrite: bool = False) -> None:
        """Make a voice from a recording and keep it."""
        self._run(self.synthesizer.voices.add(name, reference, overwrite=overwrite))

    def remove_voice(self, name: str) -> None:
        """Forget an added voice."""
        self._run(self.synthesizer.voices.remove(name))

    def close(self) -> None:
        """Free the model and end the thread; closing twice is harmless."""
        if self._thread.is_alive():
            try:
                self._run(self.synthesizer.aclose())
            finally:
                self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def _read(self, request: SpeechRequest) -> AudioChunk:
        async with await self.synthesizer.open(request, whole=True) as stream:
            return await stream.read()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if not self._thread.is_alive():  # threads stay behind where a process forks: nobody would ever answer
            work.close()
            raise EngineError("The speaker is closed, or of another process; make a new one to speak.")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def speak(
    text: str | SpeechRequest,
    out: str | Path | None = None,
    voice: VoiceChoice = None,
    settings: Settings | None = None,
) -> AudioChunk:
    """Speak a text once: open the model, return the speech, and write it to ``out`` if given. See ``Speaker``."""
    kind = _format_for(Path(out)) if out is not None else None
    with Speaker(settings=settings) as speaker:
        chunk = speaker.speak(text, voice)
    if out is not None and kind is not None:
        Path(out).write_bytes(encode_whole(chunk.samples, chunk.sample_rate, kind))
    return chunk


def _format_for(path: Path) -> AudioFormat:
    """Return the audio format that a file name asks for; raises ``RequestError`` if no such file can be written."""
    if not path.parent.is_dir():  # said before anything is computed
        raise RequestError(f"There is no folder {path.parent} to write {path.name} to; make it first.", param="out")
    name = path.suffix.removeprefix(".").lower() or "wav"
    for known in FORMATS:
        if name in (known, FORMATS[known].extension):
            return known
    raise RequestError(f"{path.name} does not end in an audio format; use one of: {', '.join(FORMATS)}.", param="out")


def _request(text: str | SpeechRequest, voice: VoiceChoice) -> SpeechRequest:
    if not isinstance(text, SpeechRequest):
        return SpeechRequest(text, voice)
    return text if voice is None else msgspec.structs.replace(text, voice=voice)


async def _next(stream: AudioStream) -> AudioChunk | None:
    return await anext(stream, None)
