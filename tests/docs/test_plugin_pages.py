"""The pages on writing plugins show the example plugins, letter for letter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = {"backend": "flashtts-backend-ngram", "engine": "flashtts-engine-esperanto"}


def blocks_of(page: str) -> list[str]:
    text = (ROOT / "docs" / "plugins" / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(r"^```(?:python|toml)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", EXAMPLES)
def test_every_block_stands_in_the_example(page: str) -> None:
    folder = ROOT / "examples" / EXAMPLES[page]
    files = [path.read_text(encoding="utf-8") for kind in ("py", "toml") for path in sorted(folder.rglob(f"*.{kind}"))]
    blocks = blocks_of(page)
    assert len(blocks) > 10
    for block in blocks:
        assert any(f"\n{block}" in f"\n{text}" for text in files), block


def test_the_page_on_backends_shows_the_whole_module() -> None:
    module = ROOT / "examples" / EXAMPLES["backend"] / "src" / "flashtts_backend_ngram" / "__init__.py"
    left = module.read_text(encoding="utf-8")
    for block in blocks_of("backend"):
        left = left.replace(block, "")
    assert left.strip() == ""


def test_the_page_on_engines_shows_what_the_protocol_asks_for() -> None:
    shown = "\n".join(blocks_of("engine"))
    for name in ("flashtts_engines", "open_esperanto", "is_checkpoint", "speak", "encode_voice", "aclose", "abilities"):
        assert re.search(rf"def {name}\(|{name} = ", shown), name
