"""The rules of the house that a script can check."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ROOT.glob("**/src") if ".nox" not in folder.parts for path in folder.rglob("*.py"))
VAGUE_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"}
PLUGIN_NAMES = {"spark", "orpheus", "mega", "hibari", "vllm", "sglang", "llama-cpp", "mlx-lm", "tensorrt-llm"}
LONGEST_MODULE = 300
LONGEST_NETWORK = 500
LONGEST_FUNCTION = 40


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def own_nodes(function: ast.AsyncFunctionDef) -> list[ast.AST]:
    """Return the nodes of a function without those of functions inside it."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found


def waits(node: ast.AST) -> bool:
    """Say whether a node gives the event loop a turn."""
    asynchronous = isinstance(node, ast.comprehension) and node.is_async == 1
    return asynchronous or isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)


def is_async_by_contract(function: ast.AsyncFunctionDef) -> bool:
    """Say whether a function is async because a protocol says so: Python's own, a guard, or its body is a refusal.

    Litestar runs guards that are plain functions in threads.
    """
    refusal = all(isinstance(node, ast.Expr | ast.Raise | ast.Pass) for node in function.body)
    annotations = {ast.unparse(each.annotation) for each in function.args.args if each.annotation is not None}
    return refusal or function.name.startswith("__a") or "BaseRouteHandler" in annotations


def test_there_are_sources() -> None:
    assert len(SOURCES) > 40


def test_async_functions_wait() -> None:
    lazy = [
        where(path, node)
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.AsyncFunctionDef)
        and not is_async_by_contract(node)
        and not any(waits(inner) for inner in own_nodes(node))
    ]
    assert lazy == []


def test_no_module_is_named_for_nothing() -> None:
    assert [path.name for path in SOURCES if path.stem in VAGUE_NAMES] == []


def test_every_module_says_in_one_sentence_what_it_is_for() -> None:
    silent = [where(path, tree) for path in SOURCES if not ast.get_docstring(tree := tree_of(path))]
    assert silent == []


def test_modules_are_short_enough_to_read() -> None:
    for path in SOURCES:
        limit = LONGEST_NETWORK if {"codec", "nn", "model"} & set(path.parts) else LONGEST_MODULE
        assert len(path.read_text(encoding="utf-8").splitlines()) <= limit, path.relative_to(ROOT)


def test_functions_are_short_enough_to_see() -> None:
    long = []
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LONGEST_FUNCTION and "conformance" not in path.parts:
                    long.append(f"{where(path, node)} {node.name}: {length}")
    assert long == []


def test_no_thread_is_left_to_die_alone_and_nothing_runs_at_deletion() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert "daemon=True" not in text, path
        assert "def __del__" not in text, path


def test_nothing_is_unpickled() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        for trap in ("pickle.load", "Unpickler(", "allow_pickle=True", "weights_only=False", "yaml.load("):
            assert trap not in text, (path, trap)


def test_no_engine_or_backend_is_told_by_its_name() -> None:
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.In) for op in node.ops):
                names = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
                assert not names & PLUGIN_NAMES, where(path, node)


@pytest.mark.parametrize(
    "module",
    [
        "flashtts",
        "flashtts_core",
        "flashtts_engine_hibari",
        *sorted(path.parent.name for path in ROOT.glob("flashtts-backend-*/src/*/__init__.py")),
        "flashtts_server.plugin",
    ],
)
def test_importing_is_light(module: str) -> None:
    heavy = {"torch", "transformers", "onnxruntime", "litestar", "av", "hibari", "wetext"}
    heavy |= {"sglang", "tensorrt_llm", "vllm", "llama_cpp", "mlx", "mlx_lm"}
    code = f"import sys, {module}; print(sorted(set(sys.modules) & {heavy!r}))"
    sources = os.pathsep.join(
        str(path) for path in ROOT.glob("flashtts-backend-*/src")
    )  # installed with their runtimes
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": sources},
    )
    assert done.stdout.strip() == "[]"
