"""Loading a checkpoint: strict, from every layout there is, and with errors that name what is wrong."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from engines.spark import golden
from flashtts_core.engines.spark import flashtts_engines
from flashtts_core.engines.spark.checkpoint import CODEC_UNUSED, find_files
from flashtts_core.engines.spark.codec.decoder import BiCodecDecoder
from flashtts_core.engines.spark.codec.encoder import BiCodecEncoder
from flashtts_core.engines.spark.codec.loading import CodecPlan, open_codec
from flashtts_core.engines.spark.codec.wav2vec2 import UNUSED
from flashtts_core.engines.spark.config import AudioConfig, read_audio_config, read_codec_config
from flashtts_core.engines.spark.prompt import Vocabulary
from flashtts_core.errors import BadCheckpoint
from flashtts_core.nn.weights import fold_weight_norm, open_weights
from flashtts_core.settings import Settings

CODEC_WEIGHTS = Path("BiCodec/model.safetensors")
WAV2VEC2 = Path("wav2vec2-large-xlsr-53")
OFFICIAL_CONFIG = """\
audio_tokenizer:
  mel_params: {sample_rate: 16000, n_fft: 1024, win_length: 640, hop_length: 320, mel_fmin: 10, mel_fmax: null, \
num_mels: 128}
  encoder: {input_channels: 1024, vocos_dim: 384, vocos_intermediate_dim: 2048, vocos_num_layers: 12, \
out_channels: 1024, sample_ratios: [1, 1]}
  decoder: {input_channel: 1024, channels: 1536, rates: [8, 5, 4, 2], kernel_sizes: [16, 11, 8, 4]}
  quantizer: {input_dim: 1024, codebook_size: 8192, codebook_dim: 8, commitment: 0.25, use_l2_normlize: True}
  speaker_encoder: {input_dim: 128, out_dim: 1024, latent_dim: 128, token_num: 32, fsq_levels: [4, 4, 4, 4, 4, 4], \
fsq_num_quantizers: 1}
  prenet: {input_channels: 1024, vocos_dim: 384, vocos_intermediate_dim: 2048, vocos_num_layers: 12, \
out_channels: 1024, condition_dim: 1024, sample_ratios: [1, 1], use_tanh_at_final: False}
"""


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the golden checkpoint that a test may damage."""
    return Path(shutil.copytree(golden.CHECKPOINT, tmp_path / "spark"))


def load(folder: Path) -> None:
    open_codec(find_files(folder), CodecPlan())


def change(path: Path, edit: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path)


def test_a_checkpoint_is_known_by_its_files_without_loading_them(tmp_path: Path) -> None:
    (spec,) = flashtts_engines()
    assert spec.detect(golden.CHECKPOINT, Settings())
    assert not spec.detect(tmp_path, Settings())
    (tmp_path / "BiCodec").mkdir()
    assert spec.detect(tmp_path, Settings()), "an incomplete folder is still ours, so that we can say what is missing"


@pytest.mark.parametrize(
    "part",
    [
        "config.yaml",
        "BiCodec/config.yaml",
        "BiCodec/model.safetensors",
        "LLM/tokenizer.json",
        str(WAV2VEC2 / "config.json"),
    ],
)
def test_a_missing_file_is_named(checkpoint: Path, part: str) -> None:
    (checkpoint / part).unlink()
    with pytest.raises(BadCheckpoint, match=re.escape(part)):
        find_files(checkpoint)


def test_missing_unexpected_and_misshapen_tensors_are_all_named(checkpoint: Path) -> None:
    def edit(tensors: dict[str, Tensor]) -> None:
        del tensors["prenet.linear.bias"]
        tensors["prenet.extra"] = torch.zeros(1)
        tensors["encoder.project.bias"] = torch.zeros(3)

    change(checkpoint / CODEC_WEIGHTS, edit)
    with pytest.raises(BadCheckpoint) as caught:
        load(checkpoint)
    for part in ("model.safetensors", "prenet.linear.bias", "prenet.extra", "encoder.project.bias [3]"):
        assert part in str(caught.value)


def test_half_of_a_weight_norm_pair_is_missing_and_unexpected(checkpoint: Path) -> None:
    change(checkpoint / CODEC_WEIGHTS, lambda tensors: tensors.pop("decoder.model.0.weight_g"))
    with pytest.raises(BadCheckpoint, match=r"lacks decoder\.model\.0\.weight; .*decoder\.model\.0\.weight_v"):
        load(checkpoint)


@pytest.mark.parametrize("part", [CODEC_WEIGHTS, WAV2VEC2 / "pytorch_model.bin"])
@pytest.mark.parametrize("damage", ["truncated", "empty", "noise"])
def test_a_damaged_weights_file_is_named(checkpoint: Path, part: Path, damage: str) -> None:
    content = (checkpoint / part).read_bytes()
    damaged = {"truncated": content[: len(content) // 2], "empty": b"", "noise": bytes(range(256)) * 40}[damage]
    (checkpoint / part).write_bytes(damaged)
    with pytest.raises(BadCheckpoint, match=re.escape(part.name)):
        load(checkpoint)


def test_a_pickle_that_would_run_code_is_refused(checkpoint: Path) -> None:
    torch.save({"wav2vec2.x": Path("/")}, checkpoint / WAV2VEC2 / "pytorch_model.bin")
    with pytest.raises(BadCheckpoint, match=r"pytorch_model\.bin"):
        load(checkpoint)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.yaml", "sample_rate: [a"),
        ("BiCodec/config.yaml", "audio_tokenizer: {}"),
        ("BiCodec/config.yaml", "!!python/object/apply:os.system ['true']"),
        ("wav2vec2-large-xlsr-53/config.json", "{"),
    ],
)
def test_a_config_that_cannot_be_read_is_named(checkpoint: Path, file: str, content: str) -> None:
    (checkpoint / file).write_text(content)
    with pytest.raises(BadCheckpoint, match=re.escape(file.rpartition("/")[2])):
        load(checkpoint)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("sample_ratios: [1, 1]", "sample_ratios: [2, 1]", "sample_ratios"),
        ("fsq_num_quantizers: 1", "fsq_num_quantizers: 2", "FSQ"),
        ("rates: [8, 5, 4, 2]", "rates: [8, 5, 4, 4]", "320"),
        ("kernel_sizes: [16, 11, 8, 4]", "kernel_sizes: [16, 12, 8, 4]", "kernel"),
        ("kernel_sizes: [16, 11, 8, 4]", "kernel_sizes: [16, 11, 8]", "kernel"),
    ],
)
def test_a_codec_of_another_build_is_refused(checkpoint: Path, old: str, new: str, told: str) -> None:
    path = checkpoint / "BiCodec" / "config.yaml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BadCheckpoint, match=told):
        load(checkpoint)


def test_unknown_keys_and_python_booleans_in_a_config_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    rates = "sample_rate: 16000\nlatent_hop_length: 320\n"
    path.write_text(f"highpass_cutoff_freq: 40\nvolume_normalize: False\nref_segment_duration: 6.01\n{rates}")
    config = read_audio_config(path)
    assert not config.volume_normalize
    assert config.clip_samples == 96_000, "whole hops"


def test_the_networks_of_the_official_config_ask_for_the_official_tensors(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(OFFICIAL_CONFIG)
    with torch.device("meta"):
        config = read_codec_config(path, AudioConfig(16_000, 320, 6.0))
        networks = (BiCodecEncoder(config), BiCodecDecoder(config))
    asked = {name: list(tensor.shape) for network in networks for name, tensor in network.state_dict().items()}
    official = {
        entry["key"]: entry["shape"] for entry in json.loads((golden.FOLDER / "official_bicodec_keys.json").read_text())
    }
    for gain in [name for name in official if name.endswith(".weight_g")]:
        del official[gain]
        official[gain.removesuffix("_g")] = official.pop(gain.removesuffix("_g") + "_v")
    assert asked == {name: shape for name, shape in official.items() if not CODEC_UNUSED.match(name)}


def test_only_training_leftovers_may_be_ignored() -> None:
    unused = {name for name in load_file(golden.CHECKPOINT / CODEC_WEIGHTS) if CODEC_UNUSED.match(name)}
    assert {name.split(".")[0] for name in unused} == {"postnet", "quantizer", "speaker_encoder"}
    assert not re.match(UNUSED, "wav2vec2.encoder.layers.15.attention.k_proj.weight")
    assert re.match(UNUSED, "wav2vec2.encoder.layers.16.attention.k_proj.weight")


def test_weight_norm_is_folded_over_every_dimension_but_the_gains() -> None:
    direction = torch.randn(4, 3, 5, dtype=torch.float64)
    gain = torch.rand(4, 1, 1, dtype=torch.float64)
    assert torch.allclose(fold_weight_norm(gain, direction), torch._weight_norm(direction, gain, 0))
    gain = torch.rand(1, 1, 5, dtype=torch.float64)
    assert torch.allclose(fold_weight_norm(gain, direction), torch._weight_norm(direction, gain, 2))


@pytest.mark.parametrize("spelling", ["legacy", "parametrized"])
@pytest.mark.parametrize("container", ["model.safetensors", "pytorch_model.bin"])
def test_wav2vec2_loads_from_both_containers_and_both_spellings(
    checkpoint: Path, spelling: str, container: str
) -> None:
    folder = checkpoint / WAV2VEC2
    tensors = torch.load(folder / "pytorch_model.bin", weights_only=True)
    if spelling == "parametrized":
        stem = "wav2vec2.encoder.pos_conv_embed.conv."
        tensors[f"{stem}parametrizations.weight.original0"] = tensors.pop(f"{stem}weight_g")
        tensors[f"{stem}parametrizations.weight.original1"] = tensors.pop(f"{stem}weight_v")
    (folder / "pytorch_model.bin").unlink()
    if container == "model.safetensors":
        save_file(tensors, folder / container)
    else:
        torch.save(tensors, folder / container)
    recording = golden.tensor("enc.b_stereo.norm.wav")
    (tokens,) = open_codec(find_files(checkpoint), CodecPlan()).encoder.encode([recording])
    assert tokens.semantics == golden.numbers("enc.b_stereo.norm.semantic_tokens")


def test_the_old_torch_file_format_is_read(checkpoint: Path) -> None:
    path = checkpoint / WAV2VEC2 / "pytorch_model.bin"
    tensors = torch.load(path, weights_only=True)
    torch.save(tensors, path, _use_new_zipfile_serialization=False)
    load(checkpoint)


def test_half_precision_weights_become_float32(checkpoint: Path) -> None:
    path = checkpoint / CODEC_WEIGHTS
    change(path, lambda tensors: tensors.update({name: each.bfloat16() for name, each in tensors.items()}))
    assert open_weights(path).read("decoder.model.0.weight").dtype == torch.float32
    load(checkpoint)


def test_weights_do_not_hang_on_the_file(checkpoint: Path) -> None:
    codec = open_codec(find_files(checkpoint), CodecPlan())
    before = codec.decoder.speaker(golden.numbers("dec.T5.global_tokens")).vector
    path = checkpoint / CODEC_WEIGHTS
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
    assert torch.equal(codec.decoder.speaker(golden.numbers("dec.T5.global_tokens")).vector, before)


def test_a_tokenizer_without_the_markers_is_named(checkpoint: Path) -> None:
    path = checkpoint / "LLM" / "tokenizer.json"
    content = json.loads(path.read_text())
    content["added_tokens"] = [token for token in content["added_tokens"] if "start_content" not in token["content"]]
    path.write_text(json.dumps(content))
    with pytest.raises(BadCheckpoint, match=r"tokenizer\.json .*<\|start_content\|>"):
        Vocabulary.load(path)
    path.write_text("{}")
    with pytest.raises(BadCheckpoint, match=r"tokenizer\.json"):
        Vocabulary.load(path)
