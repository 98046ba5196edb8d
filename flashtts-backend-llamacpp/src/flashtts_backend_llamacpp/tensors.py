"""Reads the tensors of a model from safetensors files, as numpy arrays and without torch (numpy has no bfloat16)."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flashtts_core.backends.layout import weight_files
from flashtts_core.errors import BadCheckpoint

_KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_LENGTH_BYTES = 8
_LONGEST_HEADER = 100 << 20


class _Entry(Struct, frozen=True):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


class StoredTensor:
    """One tensor in a mapped file."""

    def __init__(self, entry: _Entry, content: memoryview) -> None:
        self.shape = entry.shape
        self.kind = entry.dtype
        self._content = content

    def read(self) -> NDArray[np.float32]:
        """Return the values in float32, in memory of their own."""
        stored: NDArray[Any] = np.frombuffer(self._content, _KINDS[self.kind])
        if self.kind == "BF16":  # the upper half of a float32
            stored = (stored.astype("<u4") << 16).view("<f4")
        return np.array(stored.reshape(self.shape), np.float32)


@contextmanager
def open_tensors(folder: Path) -> Iterator[Mapping[str, StoredTensor]]:
    """Give the tensors of the model in ``folder`` by name; raises ``BadCheckpoint`` that names the file at fault."""
    with ExitStack() as stack:
        tensors: dict[str, StoredTensor] = {}
        for path in weight_files(folder):
            try:
                file = stack.enter_context(path.open("rb"))
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                tensors.update(_tensors_in(content))
            except (OSError, ValueError, msgspec.MsgspecError) as error:
                raise BadCheckpoint(f"{path} is damaged or incomplete: {error}. Download it again.") from error
        yield tensors


def _tensors_in(content: mmap.mmap) -> dict[str, StoredTensor]:
    length = int.from_bytes(content[:_LENGTH_BYTES], "little")
    start = _LENGTH_BYTES + length
    if not 0 < length <= _LONGEST_HEADER or start > len(content):
        raise ValueError("its header is cut off")
    raw = msgspec.json.decode(content[_LENGTH_BYTES:start], type=dict[str, msgspec.Raw])
    view = memoryview(content)
    found = {}
    for name in raw.keys() - {"__metadata__"}:
        entry = msgspec.json.decode(raw[name], type=_Entry)
        first, end = (start + offset for offset in entry.data_offsets)
        if entry.dtype not in _KINDS:
            raise ValueError(f"{name} is stored as {entry.dtype}; known are {', '.join(_KINDS)}")
        size = int(np.prod(entry.shape, dtype=np.int64)) * np.dtype(_KINDS[entry.dtype]).itemsize
        if end - first != size or not start <= first <= end <= len(content):
            raise ValueError(f"the data of {name} are not where its header says")
        found[name] = StoredTensor(entry, view[first:end])
    return found
