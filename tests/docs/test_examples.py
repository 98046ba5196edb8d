"""Every example of the documentation runs, in the order of its page, with the embedded voice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from docs import running
from docs.pages import PAGES, ROOT, blocks_of
from flashtts_core.audio.decode import decode
from flashtts_core.audio.formats import FORMATS

TRANSLATED = {ROOT / "README.zh.md"}
"""Its code is that of README.md, as test_docs checks."""
STARTS: dict[str, bytes | tuple[bytes, ...]] = {
    ".wav": b"RIFF",
    ".flac": b"fLaC",
    ".opus": b"OggS",
    ".mp3": (b"\xff\xf3", b"\xff\xfb", b"ID3"),
    ".aac": (b"\xff\xf1", b"\xff\xf9"),
}
"""What files of each format begin with; an example must not call mp3 what is none."""
WITH_EXAMPLES = [page for page in PAGES if page not in TRANSLATED and any(map(running.runs, blocks_of(page)))]


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run_and_can_be_heard(page: Path, server_url: str, tmp_path: Path) -> None:
    running.read(page, running.Reader(tmp_path, server_url), spark=False)
    for path in tmp_path.iterdir():
        if path.suffix.removeprefix(".") in FORMATS and path.suffix != ".pcm":
            sound = decode(path.read_bytes(), sample_rate=24_000).samples
            assert len(sound) > 12_000, f"{path.name} is shorter than half a second"
            assert np.abs(sound).max() > 0.05, f"{path.name} is silent"
            assert path.read_bytes().startswith(STARTS[path.suffix]), f"{path.name} is of another format"


def test_the_contract_example_of_the_core_passes(tmp_path: Path) -> None:
    (block,) = (each for each in blocks_of(ROOT / "flashtts-core" / "README.md") if each.language == "python")
    (tmp_path / "test_example.py").write_text(block.text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
