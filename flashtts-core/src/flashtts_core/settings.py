"""The settings of flashtts: one struct, from which flags, environment variables, file keys and documentation come.

A value is looked up as command-line flag (``--model_path``), then environment variable (``FLASHTTS_MODEL_PATH``), then
key of the TOML file (``model_path``), then the default below.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import msgspec.inspect
import platformdirs
from msgspec import Meta, Struct

from flashtts_core.errors import ConfigError
from flashtts_core.kinds import expected

ENVIRONMENT_PREFIX = "FLASHTTS_"
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://\S+")
"""What Kubernetes writes into FLASHTTS_PORT for a service that is called flashtts."""

Attention = Literal["sdpa", "flash_attention_2", "eager"]
Device = Annotated[str, Meta(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", examples=["auto", "cpu", "cuda:1"])]
Dtype = Literal["float16", "bfloat16", "float32", "auto"]
Language = Literal[
    "mandarin", "french", "german", "korean", "hindi", "spanish", "italian", "spanish_italian", "english"
]


def describe(text: str) -> Meta:
    """Return the metadata of a knob that has a meaning but no range."""
    return Meta(description=text)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is chosen when a model is opened."""

    model_path: Annotated[
        str | None,
        describe("Folder of the TTS model, or a hub id. Left out: the embedded voice speaks."),
    ] = None
    backend: Annotated[
        str, describe("Language-model runtime, by name; opened only if the engine uses a language model.")
    ] = "torch"
    snac_path: Annotated[
        str | None, describe("SNAC codec folder or hub id, if <model_path>/snac is absent (Orpheus).")
    ] = None
    lang: Annotated[Language | None, describe("Language of an Orpheus model; wins over detection.")] = None
    llm_tensorrt_path: Annotated[str | None, describe("TensorRT engine folder (tensorrt-llm).")] = None
    role_dir: Annotated[
        str | None,
        describe(
            "Folder of role references, one folder a role; only read, never written. Left out: data/roles (Spark) or "
            "data/mega-roles (Mega), if there is one."
        ),
    ] = None
    voice_dir: Annotated[
        str | None, describe("Folder where added roles are kept. Left out: the user's data folder.")
    ] = None
    llm_device: Annotated[Device, describe("Device of the language model.")] = "auto"
    tokenizer_device: Annotated[Device, describe("Device of the encoder of reference audio.")] = "auto"
    detokenizer_device: Annotated[Device, describe("Device of the decoder that makes the sound.")] = "auto"
    wav2vec_attn_implementation: Annotated[Attention, describe("Attention of Spark's wav2vec2.")] = "eager"
    llm_attn_implementation: Annotated[Attention, describe("Attention of the torch backend.")] = "eager"
    max_length: Annotated[int, Meta(ge=16, description="Longest context of the language model, in tokens.")] = 32768
    llm_gpu_memory_utilization: Annotated[
        float, Meta(gt=0, le=1, description="Share of GPU memory for vllm and sglang.")
    ] = 0.6
    torch_dtype: Annotated[Dtype, describe("Number format of the language model.")] = "auto"
    cache_implementation: Annotated[str | None, describe("Cache strategy of the torch backend.")] = None
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1, description="Seed of requests that bring none.")] = 0
    batch_size: Annotated[int, Meta(ge=1, description="Largest batch of codec work.")] = 1
    llm_batch_size: Annotated[int, Meta(ge=1, description="Largest batch of the language model.")] = 256
    wait_timeout: Annotated[
        float, Meta(ge=0, le=10, description="Seconds that codec work may wait for company in its batch.")
    ] = 0.01
    fix_voice: Annotated[bool, describe("Keep Spark's built-in female and male timbre over all requests.")] = False
    max_text_length: Annotated[int, Meta(ge=1, description="Longest text of one request, in characters.")] = 20_000
    max_reference_seconds: Annotated[
        float, Meta(gt=0, description="Longest reference recording that is accepted, in seconds.")
    ] = 30.0
    plugin: Annotated[dict[str, dict[str, Any]], describe("Settings of plugins, by plugin name.")] = {}


def voice_folder(settings: Settings) -> Path:
    """Return the folder where voices are kept: the chosen one, else one in the user's data folder."""
    if settings.voice_dir:
        return Path(settings.voice_dir).expanduser()
    return Path(platformdirs.user_data_dir("flashtts", appauthor=False)) / "voices"


Group = TypeVar("Group", bound=Struct)


def fields_of(group: type[Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """Return the knobs of a settings struct by name; tables of plugins are not knobs."""
    return {field.name: field for field in msgspec.structs.fields(group) if field.name != "plugin"}


def variable_of(flag: str) -> str:
    """Return the environment variable that stands for a flag (its name without dashes)."""
    return (ENVIRONMENT_PREFIX + flag).upper()


def read_file(path: Path) -> dict[str, Any]:
    """Read a TOML settings file; raises ``ConfigError`` if it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows' editors begin it with a mark
    except OSError as error:
        raise ConfigError(f"The settings file {path} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The settings file {path} is not valid TOML: {error}.") from error


class Sources(Struct, frozen=True):
    """Where values come from: ``flags`` as typed (only those given), ``environment``, ``file`` (a TOML table)."""

    flags: Mapping[str, Any] = {}
    environment: Mapping[str, str] = {}
    file: Mapping[str, Any] = {}

    @classmethod
    def of_process(cls, flags: Mapping[str, Any], config: Path | None) -> Sources:
        """Return the sources of this process: ``flags``, ``os.environ`` and the file ``config``."""
        environment = {name: value for name, value in os.environ.items() if not _SERVICE_ADDRESS.fullmatch(value)}
        return cls(flags, environment, read_file(config) if config else {})

    def build(self, group: type[Group], *, prefix: str = "", table: Mapping[str, Any] | None = None) -> Group:
        """Make a settings struct; raises ``ConfigError`` that names the flag, the variable or the key at fault.

        ``prefix`` stands before the names of flags and variables (the knobs of a plugin), ``table`` is the part of the
        file that belongs to the group (the whole file if left out).
        """
        keys = self.file if table is None else table
        values: dict[str, Any] = {}
        for name in fields_of(group):
            flag, variable = prefix + name, variable_of(prefix + name)
            if self.flags.get(flag) is not None:
                origin, values[name] = f"--{flag}", self.flags[flag]
            elif self.environment.get(variable):  # an empty one is how files of containers leave it out
                origin, values[name] = variable, self.environment[variable]
            elif name in keys:
                origin, values[name] = f"key {name!r} of the settings file", keys[name]
            else:
                continue
            _check(group, name, values[name], origin)
        return msgspec.convert(values, group, strict=False)


def _check(group: type[Struct], name: str, value: object, origin: str) -> None:
    try:
        msgspec.convert({name: value}, group, strict=False)
    except msgspec.ValidationError as error:
        wanted = expected(msgspec.inspect.type_info(fields_of(group)[name].type))
        raise ConfigError(f"{origin}: {value!r} does not fit; it must be {wanted}.") from error
