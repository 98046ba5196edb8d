"""Chooses the next ids: repetition penalty, temperature, top-k and top-p in the order and meaning of transformers.

A token is drawn as the argmax of ``score / temperature`` plus Gumbel noise, which is sampling from the softmax. The
noise is a function of the request's own generator, the step and the id, never of the batch: scores that differ in
their last bits between batch shapes change the draw only if the two best perturbed scores are that close (about twice
the difference, 1e-6, per token), and nothing is shared between requests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from flashtts_core.backends.draws import COLDEST, generator_of
from flashtts_core.types import TokenRequest

_WEYL, _MIX_1, _MIX_2 = (
    value - 2**64 if value >= 2**63 else value for value in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
"""The constants of SplitMix64 (Steele, Lea and Flood 2014), as signed integers."""


class Sampler:
    """How one request chooses: its settings, its generator, and the ids it has read and written."""

    def __init__(self, request: TokenRequest, vocab_size: int, device: torch.device) -> None:
        sampling = request.sampling
        self.temperature = sampling.temperature or 0.0
        if self.temperature < COLDEST:
            self.temperature = 0.0
        self.top_k = sampling.top_k or 0
        self.top_p = 1.0 if sampling.top_p is None else sampling.top_p
        self.penalty = 1.0 if sampling.repetition_penalty is None else sampling.repetition_penalty
        self._generator = generator_of(request)
        self._seen: torch.Tensor | None = None
        if self.penalty != 1.0:
            self._seen = torch.zeros(vocab_size, dtype=torch.bool, device=device)
            self._seen[list(request.prompt)] = True

    def draw(self) -> int:
        """Return 64 new random bits as a signed integer."""
        return self._generator.getrandbits(64) - 2**63

    def penalise(self, scores: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """Return scores [N] of ``ids`` [N] with those of ids seen before made less likely."""
        if self._seen is None:
            return scores
        lowered = torch.where(scores < 0, scores * self.penalty, scores / self.penalty)
        return torch.where(self._seen[ids], lowered, scores)

    def wrote(self, token: int) -> None:
        """Remember an id for the repetition penalty."""
        if self._seen is not None:
            self._seen[token] = True


def choose(scores: torch.Tensor, ids: torch.Tensor, samplers: Sequence[Sampler]) -> list[int]:
    """Choose an id for every row of ``scores`` [R, N], where column n is the score of ``ids[n]`` (-inf: never)."""
    for row, sampler in enumerate(samplers):
        if sampler.penalty != 1.0:
            scores[row] = sampler.penalise(scores[row], ids)
    columns = scores.argmax(dim=-1)
    drawn = [row for row, sampler in enumerate(samplers) if sampler.temperature > 0]
    for with_top_k in (True, False):
        if group := [row for row in drawn if (samplers[row].top_k > 0) == with_top_k]:
            columns[group] = _sampled(scores[group], ids, [samplers[row] for row in group])
    chosen: list[int] = ids[columns].tolist()
    for sampler, token in zip(samplers, chosen, strict=True):
        sampler.wrote(token)
    return chosen


def _sampled(scores: torch.Tensor, ids: torch.Tensor, samplers: Sequence[Sampler]) -> torch.Tensor:
    """Return the columns [R] that requests with a temperature draw; all of them use top-k, or none does."""
    device = scores.device
    scores = scores / torch.tensor([[sampler.temperature] for sampler in samplers], device=device)
    top_p = torch.tensor([[sampler.top_p] for sampler in samplers], device=device)
    columns = None
    if samplers[0].top_k:
        scores, columns = _likeliest(scores, [sampler.top_k for sampler in samplers])
    elif min(sampler.top_p for sampler in samplers) < 1:
        scores, columns = scores.sort(dim=-1, descending=True)
    if columns is not None:
        probabilities = scores.softmax(dim=-1)
        before = probabilities.cumsum(dim=-1) - probabilities
        beyond = (before >= top_p) & (top_p < 1)
        beyond[:, 0] = False
        scores = scores.masked_fill(beyond, -math.inf)
    keys = torch.tensor([[sampler.draw()] for sampler in samplers], device=device)
    noisy = scores + gumbel(keys, ids if columns is None else ids[columns])
    best = noisy.argmax(dim=-1, keepdim=True)
    return (best if columns is None else columns.gather(1, best)).squeeze(1)


def _likeliest(scores: torch.Tensor, top_k: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return scores and columns in falling order, those below each row's k-th score at -inf; ties with it stay."""
    count = scores.shape[-1]
    ranks = torch.tensor([[min(k, count) - 1] for k in top_k], device=scores.device)
    values, columns = scores.topk(min(max(top_k), count), dim=-1)
    bounds = values.gather(1, ranks).clamp_min(torch.finfo(scores.dtype).min)  # masked ids are no ties
    ties = int((scores >= bounds).sum(dim=-1).max())
    if ties > values.shape[-1]:
        values, columns = scores.topk(ties, dim=-1)
    return values.masked_fill(values < bounds, -math.inf), columns


def gumbel(keys: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Return Gumbel noise for ``ids`` ([N] or [R, N]) under ``keys`` [R, 1]: the output of SplitMix64 at ``id``."""
    bits = keys + ids * _WEYL
    bits = (bits ^ _shifted(bits, 30)) * _MIX_1
    bits = (bits ^ _shifted(bits, 27)) * _MIX_2
    bits = bits ^ _shifted(bits, 31)
    # The smallest draws decide who wins, and a float32 keeps their precision; the largest must not round to 1.
    uniform = ((_shifted(bits, 11).float() + 0.5) * 2.0**-53).clamp_max(1 - 2.0**-24)
    return -torch.log(-torch.log1p(-uniform))


def _shifted(bits: torch.Tensor, by: int) -> torch.Tensor:
    """Shift right, filling with zeros: torch fills with the sign."""
    return (bits >> by) & ((1 << (64 - by)) - 1)
