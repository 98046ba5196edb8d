"""The contract of backends that open model folders in the official layout: it makes the folder and the reference."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from flashtts_core.backends import Backend, BackendContext
from flashtts_core.settings import Settings
from flashtts_core.testing.conformance.backend import BackendContract
from flashtts_core.testing.conformance.opened import Reference

if TYPE_CHECKING:
    from flashtts_core.testing.checkpoints import Family


class CheckpointContract(BackendContract):
    """``BackendContract`` on a small random Qwen2 or Llama, with transformers as the reference (both needed).

    ::

        class TestQwen2(CheckpointContract):
            spec = SPEC
            family = "qwen2"
    """

    family: ClassVar[Family]
    """``qwen2`` or ``llama``: run both."""

    settings: ClassVar[Settings] = Settings(llm_device="cpu", torch_dtype="float32", llm_batch_size=8)
    own: ClassVar[Struct | None] = None
    """Settings of the backend's own; left out, their defaults."""

    _files: ClassVar[tempfile.TemporaryDirectory[str] | None] = None
    _reference: ClassVar[Reference | None] = None

    @classmethod
    def prepare(cls, folder: Path) -> None:
        """Do what the backend needs done to a folder once before it can be opened: nothing, as a rule."""

    @classmethod
    def setup_class(cls) -> None:
        """Make the checkpoint (pytest calls this)."""
        from flashtts_core.testing.checkpoints import TransformersReference, make_checkpoint  # noqa: PLC0415  # heavy

        super().setup_class()
        cls._files = tempfile.TemporaryDirectory(prefix="flashtts-contract-")
        folder = make_checkpoint(Path(cls._files.name), cls.family)
        cls._reference = TransformersReference(folder)
        cls.prepare(folder)

    @classmethod
    def teardown_class(cls) -> None:
        """Close the backend and remove the checkpoint (pytest calls this)."""
        super().teardown_class()
        assert cls._files is not None
        cls._files.cleanup()
        cls._reference = None

    async def open_backend(self) -> Backend:
        """Open the backend on the checkpoint."""
        assert self._files is not None
        own = self.own if self.own is not None or self.spec.own is None else self.spec.own()
        return await self.spec.open(BackendContext(Path(self._files.name), self.settings, own))

    def reference(self) -> Reference:
        """Return transformers on the checkpoint."""
        assert self._reference is not None
        return self._reference
