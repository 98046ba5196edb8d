"""Reads the weights of a model from safetensors files, strictly: every tensor there is expected and none is missing.

The files are mapped, so a tensor takes memory only where it is copied to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from flashtts_core.backends.layout import EMBEDDING, HEAD, check_tensors, weight_files
from flashtts_core.backends.torch.config import DecoderConfig
from flashtts_core.errors import BadCheckpoint


class Checkpoint:
    """The open files of one model, checked against its configuration."""

    def __init__(self, files: Mapping[str, safe_open]) -> None:
        self._files = files

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def read(self, name: str) -> torch.Tensor:
        """Return a tensor as it is stored; its memory is the mapped file's."""
        tensor: torch.Tensor = self._files[name].get_tensor(name)  # type: ignore[no-untyped-call]  # safetensors is untyped
        return tensor

    def own_head(self, config: DecoderConfig) -> bool:
        """True if the output head has weights of its own.

        A tied model may carry a copy of its embedding as a head; where the copy differs, it counts, as in transformers.
        """
        return HEAD in self and not (config.tied and torch.equal(self.read(HEAD), self.read(EMBEDDING)))


@contextmanager
def open_checkpoint(folder: Path, config: DecoderConfig) -> Iterator[Checkpoint]:
    """Open and check the weights in ``folder``; raises ``BadCheckpoint`` that names the files or tensors at fault."""
    with ExitStack() as stack:
        files: dict[str, safe_open] = {}
        for path in weight_files(folder):
            try:
                file = stack.enter_context(safe_open(path, framework="pt"))
            except (SafetensorError, OSError) as error:
                raise BadCheckpoint(f"{path} is damaged or incomplete: {error}. Download it again.") from error
            files.update((name, file) for name in file.keys())  # noqa: SIM118  # safe_open is no mapping
        check_tensors(folder, config, {name: _stored(file, name) for name, file in files.items()})
        yield Checkpoint(files)


def _stored(file: safe_open, name: str) -> tuple[tuple[int, ...], str]:
    part = file.get_slice(name)  # type: ignore[no-untyped-call]  # safetensors is untyped
    return tuple(part.get_shape()), str(part.get_dtype())
