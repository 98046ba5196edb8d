"""The plugin is found under its name, is light until a model is opened, and brings its command and its settings."""

from __future__ import annotations

import subprocess
import sys

from click.testing import CliRunner

from flashtts_core.cli.main import build
from flashtts_core.plugins import Plugins


def test_importing_the_plugin_loads_no_runtime() -> None:
    heavy = {"llama_cpp", "gguf", "torch", "numpy"}
    code = f"import sys, flashtts_backend_llamacpp; print(sorted(set(sys.modules) & {heavy!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_building_the_command_line_loads_no_runtime_either() -> None:
    code = """
import sys
from flashtts_core.cli.main import call
call(["convert", "gguf", "--help"])
assert not {"llama_cpp", "gguf", "torch"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "q8_0" in done.stdout


def test_the_backend_is_found_and_its_settings_are_flags() -> None:
    plugins = Plugins.discover()
    assert plugins.backend("llama-cpp").name == "llama-cpp"
    shown = CliRunner().invoke(build(plugins), ["serve", "--help"]).output
    for flag in ("gguf", "threads", "kv_type", "kv_tokens", "prompt_slice"):
        assert f"--llama_cpp_{flag}" in shown
