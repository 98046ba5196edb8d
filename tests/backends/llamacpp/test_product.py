"""The whole product on llama.cpp, from ``flashtts convert gguf`` on, says what it says on torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from backends.product import ProductContract


class TestProduct(ProductContract):
    backend = "llama-cpp"
    flags = ("--llama_cpp_kv_type", "f32", "--llama_cpp_threads", "1")

    @classmethod
    def prepare(cls, folder: Path) -> None:
        command = [sys.executable, "-m", "flashtts_core", "convert", "gguf", str(folder), "--type", "f32"]
        subprocess.run(command, check=True)
