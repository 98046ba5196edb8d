"""Which folders are MegaTTS 3 models, and how strictly their files are loaded."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from engines.mega import golden
from flashtts_core.engines.mega.checkpoint import find_files
from flashtts_core.engines.mega.codec.wavvae import WavVaeDecoder
from flashtts_core.engines.mega.model import sizes
from flashtts_core.engines.mega.model.aligner import Aligner
from flashtts_core.engines.mega.model.diffusion import DiffusionNetwork
from flashtts_core.engines.mega.model.duration import DurationNetwork
from flashtts_core.engines.mega.model.loading import (
    CODEC_UNUSED,
    DURATION_UNUSED,
    NOTHING,
    MegaPlan,
    open_networks,
    open_part,
)
from flashtts_core.errors import BadCheckpoint, ConfigError
from flashtts_core.host import open_synthesizer
from flashtts_core.nn.weights import WeightFile
from flashtts_core.plugins import Plugins
from flashtts_core.settings import Settings
from flashtts_core.testing.conformance import run

NAMES = {"aligner_lm": "model", "diffusion_transformer": "dit", "duration_lm": "dur_model", "wavvae": "model_gen"}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the golden checkpoint that a test may change."""
    return Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "any name", ignore=shutil.ignore_patterns("vectors")))


def change(checkpoint: Path, part: str, edit: Callable[[dict[str, Tensor]], object], to: str | None = None) -> Path:
    """Edit the tensors of a part, in place or into another file."""
    folder = checkpoint / part
    (path,) = folder.glob("*.ckpt")
    content: Any = torch.load(path, weights_only=True)
    edit(content["state_dict"][NAMES[part]])
    target = folder / to if to else path
    torch.save(content, target)
    return target


def load(checkpoint: Path) -> None:
    open_networks(find_files(checkpoint), MegaPlan())


def test_a_folder_is_known_by_its_parts_whatever_its_name(checkpoint: Path) -> None:
    plugins = Plugins.discover()
    assert plugins.detect(checkpoint, Settings()).name == "mega"
    shutil.rmtree(checkpoint / "wavvae")
    assert plugins.detect(checkpoint, Settings()).name == "mega", "so that we can say what it lacks"
    shutil.rmtree(checkpoint / "diffusion_transformer")
    with pytest.raises(BadCheckpoint, match="No installed engine knows"):
        plugins.detect(checkpoint, Settings())


def test_all_missing_files_are_named(checkpoint: Path) -> None:
    shutil.rmtree(checkpoint / "wavvae")
    (checkpoint / "g2p" / "tokenizer.json").unlink()
    with pytest.raises(BadCheckpoint, match=r"lacks wavvae/decoder.ckpt, g2p/tokenizer.json"):
        find_files(checkpoint)


@pytest.mark.parametrize("part", NAMES)
def test_a_missing_or_misshapen_tensor_is_named(checkpoint: Path, part: str) -> None:
    def lose_last(tensors: dict[str, Tensor]) -> None:
        name = next(name for name in reversed(tensors) if name.endswith("bias") and "char_encoder" not in name)
        lost.append(name)
        del tensors[name]

    lost: list[str] = []
    change(checkpoint, part, lose_last)
    with pytest.raises(BadCheckpoint) as caught:
        load(checkpoint)
    assert lost[0] in str(caught.value)
    assert part in str(caught.value)


@pytest.mark.parametrize("part", ["aligner_lm", "duration_lm", "wavvae"])
def test_an_unknown_tensor_is_named(checkpoint: Path, part: str) -> None:
    change(checkpoint, part, lambda tensors: tensors.update(stranger=torch.zeros(3)))
    with pytest.raises(BadCheckpoint, match="stranger"):
        load(checkpoint)


def test_unknown_tensors_of_the_diffusion_network_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "flashtts_core.engines.mega"):
        load(golden.CHECKPOINT)
    assert "unused_probe.0" in caplog.text


def test_the_codec_with_an_encoder_is_preferred_and_its_encoder_left_alone(checkpoint: Path) -> None:
    target = change(
        checkpoint,
        "wavvae",
        lambda tensors: tensors.update({"encoder.encoder.model.0.conv.conv.bias": torch.zeros(32)}),
        "model_only_last.ckpt",
    )
    assert find_files(checkpoint).codec == target
    load(checkpoint)


def test_the_names_that_training_wraps_are_unwrapped(checkpoint: Path) -> None:
    path = checkpoint / "duration_lm" / "model_only_last.ckpt"
    content: Any = torch.load(path, weights_only=True)
    tensors = content["state_dict"]["dur_model"]
    wrapped = {f"module._orig_mod.{name}": tensor for name, tensor in tensors.items()}
    torch.save({"state_dict": {"module.dur_model": wrapped, "optimizer": {}}}, path)
    assert open_part(path, "dur_model").shapes.keys() == tensors.keys()
    load(checkpoint)


def test_norms_after_their_layers_are_known_by_the_tensors(checkpoint: Path) -> None:
    def drop(tensors: dict[str, Tensor]) -> None:
        del tensors["layer_norm.weight"], tensors["layer_norm.bias"]

    change(checkpoint, "duration_lm", drop)
    networks = open_networks(find_files(checkpoint), MegaPlan())
    assert not networks.duration.sizes.norm_first
    phones = torch.tensor([[145, 101, 148]])
    primed = networks.duration.prime(phones, torch.full_like(phones, 3), torch.tensor([[8, 9, 64]]))
    assert len(networks.duration.predict(primed, phones, torch.full_like(phones, 3))) == 3


def test_layers_without_biases_are_known_by_the_tensors(checkpoint: Path) -> None:
    def drop(tensors: dict[str, Tensor]) -> None:
        for name in [name for name in tensors if ".op.ffn." in name and name.endswith("bias")]:
            del tensors[name]

    change(checkpoint, "duration_lm", drop)
    assert not open_networks(find_files(checkpoint), MegaPlan()).duration.sizes.bias


class Trap:
    """Unpickling this would end the tests."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.parametrize("part", NAMES)
def test_code_in_a_checkpoint_is_not_run(checkpoint: Path, part: str) -> None:
    (path,) = (checkpoint / part).glob("*.ckpt")
    torch.save({"state_dict": {NAMES[part]: {"weight": Trap()}}}, path)
    with pytest.raises(BadCheckpoint, match="damaged or not a weights file"):
        load(checkpoint)


@pytest.mark.parametrize("content", [{}, {"state_dict": {}}, {"state_dict": [1]}, {"state_dict": {"model": 3}}, [1]])
def test_a_file_of_another_nesting_is_named(checkpoint: Path, content: object) -> None:
    torch.save(content, checkpoint / "aligner_lm" / "model_only_last.ckpt")
    with pytest.raises(BadCheckpoint, match="aligner_lm"):
        load(checkpoint)


@pytest.mark.parametrize(
    ("text", "words"), [("dur_model_type: ce", "ar_mse"), ("use_rot_embed: false", "rotary"), ("x: [", "YAML")]
)
def test_a_duration_network_of_a_kind_that_is_not_known_is_refused(checkpoint: Path, text: str, words: str) -> None:
    (checkpoint / "duration_lm" / "config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadCheckpoint, match=words):
        load(checkpoint)


def test_parts_of_different_models_are_refused(checkpoint: Path) -> None:
    def widen(tensors: dict[str, Tensor]) -> None:
        tensors["proj_to_decoder.weight"] = torch.zeros(32, 48)

    change(checkpoint, "wavvae", widen)
    with pytest.raises(BadCheckpoint, match="takes latents of 48"):
        load(checkpoint)


def test_a_language_model_that_is_too_small_for_its_tokenizer_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    path = checkpoint / "g2p" / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"id":260,', '"id":5000,'), encoding="utf-8")
    settings = Settings(model_path=str(checkpoint), voice_dir=str(tmp_path), max_length=1024)
    with pytest.raises(BadCheckpoint, match="its tokenizer names 5000"):
        run(open_synthesizer(settings))


def test_a_device_that_is_not_there_is_named(checkpoint: Path, tmp_path: Path) -> None:
    settings = Settings(model_path=str(checkpoint), voice_dir=str(tmp_path), detokenizer_device="cuda:9")
    with pytest.raises(ConfigError, match="detokenizer_device cuda:9 is not there"):
        run(open_synthesizer(settings))


OFFICIAL: dict[str, dict[str, list[int]]] = json.loads(
    (golden.CHECKPOINT.parent / "official_mega_keys.json").read_text(encoding="utf-8")
)
"""Names and shapes of the official files; those of the duration network are one reading that fits what is known."""


@pytest.mark.parametrize("part", OFFICIAL)
def test_the_networks_of_the_official_size_have_the_official_names_and_shapes(part: str) -> None:
    folded = {name.replace(".weight_v", ".weight"): shape for name, shape in OFFICIAL[part].items()}
    shapes = {name: tuple(shape) for name, shape in folded.items() if not name.endswith(".weight_g")}
    file = WeightFile(Path(part), shapes, lambda _: torch.zeros(0))
    makers: dict[str, Callable[[], torch.nn.Module]] = {
        "aligner_lm": lambda: Aligner(sizes.aligner_sizes(file)),
        "diffusion_transformer": lambda: DiffusionNetwork(sizes.diffusion_sizes(file)),
        "duration_lm": lambda: DurationNetwork(sizes.duration_sizes(file)),
        "wavvae": lambda: WavVaeDecoder(sizes.codec_sizes(file)),
    }
    with torch.device("meta"):
        network = makers[part]()
    made = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    unused = {"wavvae": CODEC_UNUSED, "duration_lm": DURATION_UNUSED}.get(part, NOTHING)
    assert made == {name: shape for name, shape in shapes.items() if not unused.match(name)}
