"""The diffusion network: which way a noisy latent has to go, given phones with lengths and a speaker.

Each line has three rows that go through the network together: text and speaker, text alone, neither; their difference
steers (classifier-free guidance). Lines of any lengths share one pass: everything but attention works position by
position, so the rows of all lines stand behind each other without padding. Attribute names are those of the checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from msgspec import Struct
from torch import Tensor, nn
from torch.nn import functional

from flashtts_core.engines.mega.model.attention import angles, attend, rotate_pairs
from flashtts_core.engines.mega.model.text_encoder import TextEncoder, TextEncoderSizes

HEADS = 16
ROWS = 3
FRAMES_PER_LATENT = 4
_EPS = 1e-6
_TIME_WIDTH = 256
_TIME_SCALE = 1000.0


class DiffusionSizes(Struct, frozen=True):
    """Sizes of the network: of a latent, the mark of the reference, the local condition, the transformer."""

    text: TextEncoderSizes
    tones: int
    latent: int
    mark: int
    local: int
    dim: int
    hidden: int
    layers: int

    @property
    def no_phone(self) -> int:
        """The phone of the row without text: the last id."""
        return self.text.ids - 1

    @property
    def no_tone(self) -> int:
        """The tone of the row without text: the last id."""
        return self.tones - 1


class Course(Struct, frozen=True, eq=False):
    """What the times of a schedule make of every layer: computed once, as it depends on nothing else.

    ``layers`` [N, layers, 6, D] hold shift, scale and gate of attention and of the feed-forward layer; ``last``
    [N, 2, D] scale and shift of the end.
    """

    layers: Tensor
    last: Tensor


class Lane(Struct, frozen=True, eq=False):
    """A line that is being made: what of it stays the same over all steps.

    ``condition`` [3, L, D] is what is added to the latents; ``spoken`` [L, 1] is 0 where the reference is, else 1.
    """

    condition: Tensor
    spoken: Tensor
    cosines: Tensor
    sines: Tensor


class Step(Struct, frozen=True, eq=False):
    """One line in one pass: its latents [L, C], and where its course stands."""

    lane: Lane
    latents: Tensor
    course: Course
    number: int


class Attention(nn.Module):
    """Attention among the positions of one row, with rotary positions."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.wq = nn.Linear(dim, dim)
        self.wk = nn.Linear(dim, dim)
        self.wv = nn.Linear(dim, dim)
        self.wo = nn.Linear(dim, dim)

    def forward(self, x: Tensor, lanes: Sequence[Lane]) -> Tensor:
        """Map x [N, D], the rows of all lanes behind each other, to the same shape."""
        sizes = [ROWS * len(lane.spoken) for lane in lanes]
        parts = (layer(x).split(sizes) for layer in (self.wq, self.wk, self.wv))
        mixed = [self._attend(lane, *of_lane) for lane, *of_lane in zip(lanes, *parts, strict=True)]
        y: Tensor = self.wo(mixed[0] if len(mixed) == 1 else torch.cat(mixed))
        return y

    def _attend(self, lane: Lane, *parts: Tensor) -> Tensor:
        queries, keys, values = (part.view(ROWS, len(lane.spoken), HEADS, -1).transpose(1, 2) for part in parts)
        queries, keys = (rotate_pairs(part, lane.cosines, lane.sines) for part in (queries, keys))
        return attend(queries, keys, values).flatten(0, 1)


class FeedForward(nn.Module):
    """Two linear layers."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.w1 = nn.Linear(dim, hidden)
        self.w2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [N, D] to the same shape."""
        y: Tensor = self.w2(functional.silu(self.w1(x), inplace=True))
        return y


class Modulation(nn.Module):
    """Vectors that a norm takes its scale and shift from, given the time."""

    def __init__(self, dim: int, vectors: int) -> None:
        super().__init__()
        self.vectors = vectors
        self.linear = nn.Linear(dim, vectors * dim)

    def forward(self, time: Tensor) -> Tensor:
        """Map times [N, D] to vectors [N, vectors, D]."""
        y: Tensor = self.linear(functional.silu(time)).unflatten(-1, (self.vectors, -1))
        return y


class Layer(nn.Module):
    """A transformer layer whose norms and gates follow the time."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.attention = Attention(dim)
        self.feed_forward = FeedForward(dim, hidden)
        self.attention_norm = Modulation(dim, 6)

    def forward(self, x: Tensor, vectors: Sequence[Tensor], lanes: Sequence[Lane]) -> Tensor:
        """Map x [N, D] to the same shape; each of the six vectors is [D], or [N, D] for several lanes."""
        shift, scale, gate, shift_after, scale_after, gate_after = vectors
        x = torch.addcmul(x, gate, self.attention(modulated(x, scale, shift), lanes))
        return torch.addcmul(x, gate_after, self.feed_forward(modulated(x, scale_after, shift_after)))


class Transformer(nn.Module):
    """The layers, and a last norm that follows the time."""

    def __init__(self, sizes: DiffusionSizes) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(sizes.dim, sizes.hidden) for _ in range(sizes.layers))
        self.norm = Modulation(sizes.dim, 2)
        self.out_proj = nn.Linear(sizes.dim, sizes.dim)

    def course(self, time: Tensor) -> Course:
        """Return what times [N, D] make of the layers."""
        vectors = [layer.attention_norm(time) for layer in self.layers if isinstance(layer, Layer)]
        return Course(torch.stack(vectors, dim=1), self.norm(time))

    def forward(self, x: Tensor, steps: Sequence[Step]) -> Tensor:
        """Map x [N, D], the rows of all steps behind each other, to the same shape."""
        lanes = [step.lane for step in steps]
        owners = _owners(lanes, x.device)
        for number, layer in enumerate(self.layers):
            x = layer(x, _spread([step.course.layers[step.number, number] for step in steps], owners), lanes)
        scale, shift = _spread([step.course.last[step.number] for step in steps], owners)
        y: Tensor = self.out_proj(modulated(x, scale, shift))
        return y


class TimeEmbedding(nn.Module):
    """A time in [0, 1] to a vector."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.time_mlp = nn.Sequential(nn.Linear(_TIME_WIDTH, dim), nn.SiLU(), nn.Linear(dim, dim))

    def forward(self, times: Tensor) -> Tensor:
        """Map times [N] to [N, D]."""
        half = _TIME_WIDTH // 2
        rates = torch.exp(torch.arange(half, device=times.device) * -(math.log(10_000) / (half - 1)))
        turns = _TIME_SCALE * times[:, None] * rates
        y: Tensor = self.time_mlp(torch.cat([turns.sin(), turns.cos()], dim=-1))
        return y


class DiffusionNetwork(nn.Module):
    """The whole network: ``course`` and ``lane`` prepare, ``forward`` makes the velocities of one step."""

    def __init__(self, sizes: DiffusionSizes) -> None:
        super().__init__()
        self.sizes = sizes
        dim = sizes.dim
        self.ctx_mask_proj = nn.Linear(1, sizes.mark)
        self.local_cond_project = nn.Linear(sizes.latent + sizes.mark, sizes.local)
        self.encoder = Transformer(sizes)
        self.x_prenet = nn.Linear(sizes.latent, dim)
        self.prenet = nn.Linear(sizes.local, dim)
        self.postnet = nn.Linear(dim, sizes.latent)
        self.f5_time_embed = TimeEmbedding(dim)
        self.ph_encoder = TextEncoder(sizes.text)
        self.tone_embed = nn.Embedding(sizes.tones, sizes.text.dim)
        self.ling_pre_net = nn.Sequential(*(nn.Conv1d(dim, dim, 4, stride=2, padding=1) for _ in range(2)))

    def course(self, times: Tensor) -> Course:
        """Return what times [N] make of the layers."""
        return self.encoder.course(self.f5_time_embed(times))

    def text(self, phones: Tensor, tones: Tensor, phone_of_frame: Tensor) -> Tensor:
        """Return what is said at each latent, with and without text [2, L, D].

        Phones and tones [T] are those of reference and line; ``phone_of_frame`` [4 L] counts from 1.
        """
        sizes = self.sizes
        ids = torch.stack([phones, torch.full_like(phones, sizes.no_phone)])
        labels = torch.stack([tones, torch.full_like(tones, sizes.no_tone)])
        encoded = self.ph_encoder(ids, self.tone_embed(labels))  # [2, T, D]
        frames = encoded[:, phone_of_frame - 1].transpose(1, 2)  # [2, D, 4 L]
        x: Tensor = self.ling_pre_net(frames).transpose(1, 2)
        return x

    def local(self, reference: Tensor, length: int) -> Tensor:
        """Return what is known of the sound at each latent, with and without the reference [P, C]: [2, L, local]."""
        known = reference.new_zeros(2, length, reference.shape[1])
        known[0, : len(reference)] = reference
        marks = reference.new_zeros(2, length, 1)
        marks[:, : len(reference)] = 1
        x: Tensor = self.local_cond_project(torch.cat([known, self.ctx_mask_proj(marks)], dim=-1))
        return x

    def lane(self, text: Tensor, local: Tensor, reference: int) -> Lane:
        """Return what stays the same over the steps of a line whose first ``reference`` latents are given."""
        text_rows, local_rows = text[[0, 0, 1]], self.prenet(local)[[0, 1, 1]]
        length = text.shape[1]
        spoken = text.new_ones(length, 1)
        spoken[:reference] = 0
        turns = angles(torch.arange(length, device=text.device), self.sizes.dim // HEADS)
        return Lane(text_rows + local_rows, spoken, turns.cos(), turns.sin())

    def forward(self, steps: Sequence[Step]) -> list[Tensor]:
        """Return the velocities [3, L, C] of each step."""
        rows = [(self.x_prenet(step.latents * step.lane.spoken) + step.lane.condition).flatten(0, 1) for step in steps]
        x = self.postnet(self.encoder(rows[0] if len(rows) == 1 else torch.cat(rows), steps))  # [N, C]
        return [part.unflatten(0, (ROWS, -1)) for part in x.split([len(row) for row in rows])]


def modulated(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Normalise x [N, D] and apply scale (beyond 1) and shift."""
    return torch.addcmul(shift, functional.layer_norm(x, x.shape[-1:], eps=_EPS), 1 + scale)


def _owners(lanes: Sequence[Lane], device: torch.device) -> Tensor | None:
    """Return which lane each row belongs to [N], or ``None`` if there is one."""
    if len(lanes) == 1:
        return None
    counts = torch.tensor([ROWS * len(lane.spoken) for lane in lanes], device=device)
    return torch.repeat_interleave(counts)


def _spread(vectors: Sequence[Tensor], owners: Tensor | None) -> Sequence[Tensor]:
    """Return vectors [k, D] of one lane as they are, of several for every row [N, D]."""
    if owners is None:
        return vectors[0].unbind(0)
    return [part[owners] for part in torch.stack(list(vectors)).unbind(1)]
