"""An SGLang engine on a thread and an event loop of its own.

Not on the loop of the host: starting blocks for a minute; on a main thread the first request would put SGLang's
handlers for SIGTERM and SIGQUIT in place of the server's; and its bookkeeping would take turns from HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from flashtts_core.errors import ConfigError


class EngineThread:
    """The thread ``flashtts-llm``: makes the engine, runs its loop, shuts it down."""

    loop: asyncio.AbstractEventLoop
    engine: Any

    def __init__(self, engine_class: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
        self._make = engine_class
        self._arguments = arguments
        self._opened: Future[None] = Future()
        self._leave = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name="flashtts-llm")

    async def start(self) -> None:
        """Load the model; raises ``ConfigError`` with what SGLang said if it cannot.

        Nothing stops SGLang while it loads. If this is cancelled, the thread shuts the engine down once it is there.
        """
        self._thread.start()
        try:
            await asyncio.wrap_future(self._opened)
        except asyncio.CancelledError:
            if not self._opened.cancelled():  # the engine was there already, and nobody will stop it
                self.call(self._leave.set)
            raise
        except Exception as error:
            await asyncio.to_thread(self._thread.join)
            raise ConfigError(_explained(error, self._arguments)) from error

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function on the engine's loop; nothing happens once that is closed."""
        with contextlib.suppress(RuntimeError):  # closed
            self.loop.call_soon_threadsafe(function, *arguments)

    async def stop(self) -> None:
        """Shut the engine down and join the thread; stopping twice is harmless."""
        self.call(self._leave.set)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        with asyncio.Runner() as runner:
            self.loop = runner.get_loop()
            try:
                self.engine = self._make(**self._arguments)
            except Exception as error:  # noqa: BLE001  # whatever SGLang raises is shown to who opens the model
                if self._opened.set_running_or_notify_cancel():
                    self._opened.set_exception(error)
                return
            try:
                if self._opened.set_running_or_notify_cancel():  # else nobody waits for it any more
                    self._opened.set_result(None)
                    runner.run(self._leave.wait())
            finally:
                self.engine.shutdown()


def _explained(error: Exception, arguments: Mapping[str, Any]) -> str:
    reason = str(error).rstrip(".") or type(error).__name__
    if "memory" in reason.lower():
        return (
            f"SGLang has no room for the model: {reason}. It may take {arguments['mem_fraction_static']} of the GPU "
            f"memory; change --llm_gpu_memory_utilization, or lower --max_length or --llm_batch_size."
        )
    return f"SGLang could not start: {reason}. What its processes said stands above."
