"""Reads what our backend relies on out of SGLang's source, not importing it: ``python reading.py > record.json``."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any


def source_folder() -> Path | None:
    """Return the folder of the installed package, if it is installed."""
    spec = importlib.util.find_spec("sglang")
    return Path(str(spec.origin)).parent if spec is not None and spec.origin is not None else None


def read(folder: Path) -> dict[str, Any]:
    """Return the facts that ``record.json`` holds."""
    engine = members(folder / "srt/entrypoints/engine.py", "Engine")
    manager = members(folder / "srt/managers/tokenizer_manager.py", "TokenizerManager")
    finishing = members(folder / "srt/managers/schedule_batch.py", "Req")["_check_token_based_finish"]
    arguments = [name for path in sorted((folder / "srt/arg_groups/fields").glob("*.py")) for name in annotated(path)]
    worker = (folder / "srt/managers/tp_worker.py").read_text(encoding="utf-8")
    scheduler = (folder / "srt/managers/scheduler.py").read_text(encoding="utf-8")
    loading = (folder / "srt/model_executor/model_runner_components/load_model_utils.py").read_text(encoding="utf-8")
    watchdog = (folder / "srt/utils/watchdog.py").read_text(encoding="utf-8")
    return {
        "release": importlib.metadata.version("sglang"),
        "engine": {name: parameters(engine[name]) for name in ("__init__", "async_generate", "shutdown")},
        "manager": {name: parameters(manager[name]) for name in ("abort_request", "generate_request")},
        "arguments": sorted(set(arguments)),
        "sampling": sorted(annotated(folder / "srt/sampling/sampling_params.py", "SamplingParams")),
        "ignore_eos_comes_before_stop_ids": ast.unparse(finishing.body[0]).startswith(
            "if self.sampling_params.ignore_eos:\n    return False"
        ),
        "aborts_by_prefix": "req.rid.startswith(recv_req.rid)" in scheduler,
        "longest": [
            "max_req_input_len = max_req_len - 5" in worker,
            "self.max_req_len - input_len - 1" in scheduler,
            "self.model_config.context_len - 1" in worker,
        ],
        "float16_alone_before_ampere": [
            "if torch.cuda.get_device_capability()[0] < 8:" in loading,
            "model_config.dtype = torch.float16" in loading,
        ],
        "death_is_sigquit": "os.kill(os.getpid(), signal.SIGQUIT)" in watchdog,
        "ends": "self.hf_eos_token_id" in (folder / "srt/configs/model_config.py").read_text(encoding="utf-8"),
        "outputs": sorted(
            {"output_ids", "meta_info"} & constants(manager["_handle_batch_output"])
            | {"finish_reason"} & constants(manager["_handle_batch_output"])
        ),
    }


def members(path: Path, name: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the methods of a class by name."""
    return {
        node.name: node
        for node in class_of(path, name).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def class_of(path: Path, name: str) -> ast.ClassDef:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def annotated(path: Path, name: str | None = None) -> list[str]:
    """Return the names of annotated fields of one class, or of all classes of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and name in {None, node.name}]
    return [
        node.target.id
        for each in classes
        for node in each.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Return the names of parameters in order, ``**`` before that of keywords."""
    given = function.args
    names = [each.arg for each in [*given.posonlyargs, *given.args, *given.kwonlyargs]]
    return [*names, *([f"**{given.kwarg.arg}"] if given.kwarg else [])]


def constants(function: ast.AST) -> set[object]:
    return {node.value for node in ast.walk(function) if isinstance(node, ast.Constant)}


if __name__ == "__main__":
    found = source_folder()
    assert found is not None, "SGLang is not installed: pip install --no-deps sglang"
    json.dump(read(found), sys.stdout, indent=1)
    sys.stdout.write("\n")
