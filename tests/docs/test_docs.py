"""Documentation that cannot lie: generated pages are current, examples run, names exist."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flashtts_core import hookspecs
from flashtts_core.cli.main import build
from flashtts_core.plugins import Plugins

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    path
    for path in sorted(ROOT.rglob("*.md"))
    if not {".nox", ".venv", "node_modules", ".pytest_cache"} & set(path.parts)
]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def generator() -> object:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "reference" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["settings.md", "formats.md"])
def test_reference_pages_are_what_the_code_says(page: str) -> None:
    pages = generator().PAGES  # type: ignore[attr-defined]  # loaded from a file
    written = (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")
    assert written == pages[page](), "run: python docs/reference/generate.py"


def test_the_first_two_commands_are_single_lines() -> None:
    install, check = blocks(README, "bash")[:2]
    assert install.startswith("pip install ./flashtts-core ")
    assert "flashtts infer -i " in install
    assert "nox" in check
    assert install.count("\n") == check.count("\n") == 1


def test_every_flag_in_the_docs_exists() -> None:
    group = build(Plugins.discover())
    commands = {**group.commands, **getattr(group.commands["voices"], "commands", {})}
    known = {
        name
        for command in commands.values()
        for option in command.params
        for name in option.opts + option.secondary_opts
    }
    known |= {"--help", "--version"}
    for page in PAGES:
        for line in re.findall(r"flashtts (?:serve|infer|voices|plugins)[^\n`]*", page.read_text(encoding="utf-8")):
            for flag in re.findall(r"--[a-z][a-z_0-9-]*", line):
                assert flag.replace("-", "_").replace("__", "--", 1) in known, f"{page.name}: {flag}"


def test_every_hook_is_documented() -> None:
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    for name in vars(hookspecs):
        if name.startswith("flashtts_"):
            assert f"`{name}(" in design, name


def test_local_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


@pytest.mark.parametrize("number", range(len(blocks(README, "python"))))
def test_the_python_of_the_readme_runs(tmp_path: Path, server_url: str, number: int) -> None:
    code = blocks(README, "python")[number].replace("http://localhost:8000", server_url)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_contract_example_of_the_core_runs(tmp_path: Path) -> None:
    (code,) = blocks((ROOT / "flashtts-core" / "README.md").read_text(encoding="utf-8"), "python")
    (tmp_path / "test_example.py").write_text(code)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
