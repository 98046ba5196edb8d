"""Loading a checkpoint: strict, from every layout there is, and with errors that name what is wrong."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from engines.orpheus.golden import FRAMES
from flashtts_core.engines.orpheus import flashtts_engines
from flashtts_core.engines.orpheus.checkpoint import find_files, find_snac
from flashtts_core.engines.orpheus.codec.decoder import Piece, SnacDecoder
from flashtts_core.engines.orpheus.codec.loading import UNUSED, open_codec
from flashtts_core.errors import BadCheckpoint, ConfigError
from flashtts_core.nn.devices import choose_device
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings

CPU = torch.device("cpu")
WEIGHTS = Path("snac/pytorch_model.bin")
FOUR = Piece(FRAMES[:4], 0, 0, 4, 0)


def load(folder: Path, settings: Settings | None = None) -> SnacDecoder:
    files = find_files(folder, asyncio.run(find_snac(folder, settings or Settings())))
    return open_codec(files.snac_config, files.snac_weights, CPU)


def read(folder: Path) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = torch.load(folder / WEIGHTS, weights_only=True)
    return tensors


def change(folder: Path, edit: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = read(folder)
    edit(tensors)
    torch.save(tensors, folder / WEIGHTS)


def legacy(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Spell weight norm as older versions of torch do."""
    endings = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    pattern = re.compile("|".join(map(re.escape, endings)))
    return {pattern.sub(lambda found: endings[found[0]], name): tensor for name, tensor in tensors.items()}


def test_a_checkpoint_is_known_by_its_files_without_loading_them(checkpoint: Path, tmp_path: Path) -> None:
    (spec,) = flashtts_engines()
    assert spec.detect(checkpoint, Settings())
    assert not spec.detect(tmp_path, Settings())
    (checkpoint / "snac").rename(tmp_path / "codec")
    assert spec.detect(checkpoint, Settings(snac_path=str(tmp_path / "codec")))
    assert spec.detect(checkpoint, Settings()), "without a codec it is still ours, so that we can say what is missing"
    (checkpoint / "tokenizer.json").write_text('{"added_tokens": []}')
    assert not spec.detect(checkpoint, Settings()), "a Llama for writing"
    (checkpoint / "tokenizer.json").write_bytes(b"")
    assert not spec.detect(checkpoint, Settings())
    (checkpoint / "snac").mkdir()
    (checkpoint / "config.json").write_text('{"model_type": "qwen2"}')
    assert not spec.detect(checkpoint, Settings())
    (checkpoint / "config.json").write_text("{")
    assert not spec.detect(checkpoint, Settings())


def test_no_other_engine_claims_it(checkpoint: Path) -> None:
    assert Plugins.discover().detect(checkpoint, Settings()).name == "orpheus"


def test_without_a_codec_the_error_says_which_path_to_give(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "snac").rename(tmp_path / "codec")
    with pytest.raises(BadCheckpoint, match=r"no codec in it\. Give --snac_path .*snac_24khz.*pytorch_model\.bin"):
        load(checkpoint)
    with pytest.raises(BadCheckpoint, match=r"There is no folder nowhere\. Give --snac_path"):
        load(checkpoint, Settings(snac_path="nowhere"))
    assert load(checkpoint, Settings(snac_path=str(tmp_path / "codec"))).reach == 3


@pytest.mark.parametrize("part", ["tokenizer.json", "snac/config.json", "snac/pytorch_model.bin"])
def test_a_missing_file_is_named(checkpoint: Path, part: str) -> None:
    (checkpoint / part).unlink()
    with pytest.raises(BadCheckpoint, match=re.escape(part)):
        load(checkpoint)


@pytest.mark.parametrize("spelling", ["parametrized", "legacy"])
@pytest.mark.parametrize("container", ["model.safetensors", "pytorch_model.bin"])
def test_both_spellings_of_weight_norm_load_from_both_containers(
    checkpoint: Path, codec: SnacDecoder, spelling: str, container: str
) -> None:
    tensors = read(checkpoint)
    (checkpoint / WEIGHTS).unlink()
    if spelling == "legacy":
        tensors = legacy(tensors)
        assert not any("original" in name for name in tensors)
    save: Callable[[dict[str, Tensor], Path], object] = save_file if container == "model.safetensors" else torch.save
    save(tensors, checkpoint / "snac" / container)
    np.testing.assert_array_equal(load(checkpoint).decode([FOUR])[0], codec.decode([FOUR])[0])


def test_missing_unexpected_and_misshapen_tensors_are_all_named(checkpoint: Path) -> None:
    def edit(tensors: dict[str, Tensor]) -> None:
        del tensors["decoder.model.7.bias"]
        tensors["decoder.extra"] = torch.zeros(1)
        tensors["decoder.model.1.bias"] = torch.zeros(3)

    change(checkpoint, edit)
    with pytest.raises(BadCheckpoint) as caught:
        load(checkpoint)
    for part in ("pytorch_model.bin", "decoder.model.7.bias", "decoder.extra", "decoder.model.1.bias [3]"):
        assert part in str(caught.value)


def test_only_what_encoding_needs_may_be_left_over(checkpoint: Path, codec: SnacDecoder) -> None:
    unused = {name for name in read(checkpoint) if UNUSED.match(name)}
    assert {".".join(name.split(".")[:1]) for name in unused} == {"encoder", "quantizer"}
    assert {name.split(".")[3] for name in unused if name.startswith("quantizer")} == {"in_proj"}
    assert not any(UNUSED.match(name) for name in codec.state_dict())
    change(checkpoint, lambda tensors: [tensors.pop(name) for name in unused])
    np.testing.assert_array_equal(load(checkpoint).decode([FOUR])[0], codec.decode([FOUR])[0])
    change(checkpoint, lambda tensors: tensors.update({"quantizer.quantizers.0.extra": torch.zeros(1)}))
    with pytest.raises(BadCheckpoint, match=r"should not, quantizer\.quantizers\.0\.extra"):
        load(checkpoint)


@pytest.mark.parametrize("damage", ["truncated", "empty", "noise"])
def test_a_damaged_weights_file_is_named(checkpoint: Path, damage: str) -> None:
    content = (checkpoint / WEIGHTS).read_bytes()
    damaged = {"truncated": content[: len(content) // 2], "empty": b"", "noise": bytes(range(256)) * 40}[damage]
    (checkpoint / WEIGHTS).write_bytes(damaged)
    with pytest.raises(BadCheckpoint, match=r"pytorch_model\.bin is damaged"):
        load(checkpoint)


def test_a_pickle_that_would_run_code_is_refused(checkpoint: Path) -> None:
    torch.save({"decoder.x": Path("/")}, checkpoint / WEIGHTS)
    with pytest.raises(BadCheckpoint, match=r"pytorch_model\.bin"):
        load(checkpoint)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("attn_window_size", 32, "local attention"),
        ("vq_strides", [8, 4, 2, 1], "vq_strides"),
        ("vq_strides", [], "vq_strides"),
        ("codebook_size", 1024, "codebook_size is 1024"),
        ("decoder_rates", [], "sizes"),
        ("decoder_rates", [8, -8, 4, 2], "sizes"),
        ("decoder_dim", 4, "sizes"),
        ("decoder_dim", "64", "not the config"),
    ],
)
def test_a_codec_of_another_build_is_refused(checkpoint: Path, key: str, value: object, told: str) -> None:
    path = checkpoint / "snac" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(BadCheckpoint, match=rf"snac/config\.json .*{told}"):
        load(checkpoint)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_damaged_config_is_named(checkpoint: Path, content: str) -> None:
    (checkpoint / "snac" / "config.json").write_text(content)
    with pytest.raises(BadCheckpoint, match=r"snac/config\.json is not the config of a SNAC"):
        load(checkpoint)


def test_weights_do_not_hang_on_the_file(checkpoint: Path, codec: SnacDecoder) -> None:
    copied = load(checkpoint)
    size = (checkpoint / WEIGHTS).stat().st_size
    with (checkpoint / WEIGHTS).open("r+b") as file:
        file.write(b"\0" * size)
    np.testing.assert_array_equal(copied.decode([FOUR])[0], codec.decode([FOUR])[0])


def test_a_device_that_is_not_there_is_named_with_those_that_are() -> None:
    assert choose_device("detokenizer_device", "cpu") == CPU
    with pytest.raises(ConfigError, match=r"--detokenizer_device cuda:63 is not there; this machine has cpu"):
        choose_device("detokenizer_device", "cuda:63")
