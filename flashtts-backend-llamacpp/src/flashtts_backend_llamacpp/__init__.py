"""The llama.cpp backend as a plugin: GGUF models in this process, and ``flashtts convert gguf`` that makes them.

Importing this is cheap; llama.cpp is loaded when a model is opened.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import click
from msgspec import Meta, Struct

from flashtts_core.backends import Backend, BackendContext, BackendSpec
from flashtts_core.backends.threaded import ThreadedBackend
from flashtts_core.hookspecs import hookimpl
from flashtts_core.plugins import Plugins

CacheType = Literal["f32", "f16", "q8_0"]


class LlamaCppSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of the llama.cpp backend."""

    gguf: Annotated[
        str | None, Meta(description="GGUF file: a name in the language model's folder, or a path. Needed if several.")
    ] = None
    threads: Annotated[int, Meta(ge=0, le=512, description="Threads; 0: the processors that this process may use.")] = 0
    kv_type: Annotated[
        CacheType, Meta(description="Number format of the cache; f32 gives transformers' greedy answers exactly.")
    ] = "f16"
    kv_tokens: Annotated[
        int,
        Meta(ge=0, description="Tokens that the cache holds for all requests together; 0: max_length, at least 8192."),
    ] = 0
    prompt_slice: Annotated[
        int, Meta(ge=1, le=4096, description="Prompt tokens read in one step; running requests wait for no more.")
    ] = 64


@hookimpl
def flashtts_backends() -> list[BackendSpec]:
    """Register the llama.cpp backend."""
    return [
        BackendSpec(
            name="llama-cpp",
            summary="GGUF models on llama.cpp: the fast one on CPUs.",
            open=open_llama_cpp,
            restriction="cycle",
            knobs=frozenset({"llm_batch_size", "llm_device", "max_length"}),
            own=LlamaCppSettings,
            requires=("llama_cpp",),
            install='pip install "flashtts[llama-cpp]"',
        )
    ]


@hookimpl
def flashtts_commands(plugins: Plugins) -> list[click.Command]:
    """Return ``convert``, with ``gguf`` in it."""
    from flashtts_backend_llamacpp.command import convert  # noqa: PLC0415  # only for the command line

    return [convert(plugins)]


async def open_llama_cpp(context: BackendContext) -> Backend:
    """Load the GGUF file of ``context.folder``; raises ``ConfigError`` and ``BadCheckpoint``."""
    from flashtts_backend_llamacpp.model import load_model  # noqa: PLC0415  # heavy: only when opened

    own = context.own if isinstance(context.own, LlamaCppSettings) else LlamaCppSettings()
    return ThreadedBackend(await asyncio.to_thread(load_model, context.folder, context.settings, own))
