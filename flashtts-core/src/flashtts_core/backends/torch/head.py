"""The output head, restricted to the ids that can follow.

A vocabulary of 166 000 ids costs a third of a small model's time; a speech model's next id is one of some thousands.
When requests in a batch may write different ids, the head computes the union and each request's scores are masked.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch

from flashtts_core.backends.choices import Ranges, merged

_PIECES = 8
"""Products a step makes at most; beyond that, ranges are bridged over the ids between them."""
_PLANS = 16
"""Plans that are kept: more than the sets that a few engines use in turn."""


@dataclass
class Plan:
    """The ids [N] that the head computes, as ranges and as a tensor, and what of them each choice may use."""

    ranges: Ranges
    ids: torch.Tensor
    masks: dict[Ranges, torch.Tensor | None]

    def mask(self, choice: Ranges) -> torch.Tensor | None:
        """Return which of ``ids`` belong to ``choice`` [N], ``None`` if all do."""
        if choice not in self.masks:
            inside = torch.zeros(len(self.ids), dtype=torch.bool, device=self.ids.device)
            for first, end in choice:
                inside |= (self.ids >= first) & (self.ids < end)
            self.masks[choice] = None if bool(inside.all()) else inside
        return self.masks[choice]


class Head:
    """The weights [vocabulary, hidden] that turn a hidden state into scores."""

    def __init__(self, weight: torch.Tensor) -> None:
        self._weight = weight
        self._plans: OrderedDict[frozenset[Ranges], Plan] = OrderedDict()

    def plan(self, choices: Sequence[Ranges]) -> Plan:
        """Return what to compute for requests with these choices."""
        key = frozenset(choices)
        if key not in self._plans:
            self._plans[key] = self._make_plan(key)
            if len(self._plans) > _PLANS:
                self._plans.popitem(last=False)
        self._plans.move_to_end(key)
        return self._plans[key]

    def scores(self, hidden: torch.Tensor, plan: Plan) -> torch.Tensor:
        """Return the float32 scores [R, N] of the plan's ids for hidden states [R, hidden]."""
        # weight @ hidden.T: measured twice as fast as hidden @ weight.T for 2 to 16 rows on a CPU.
        pieces = [torch.mm(self._weight[first:end], hidden.t()) for first, end in plan.ranges]
        return torch.cat(pieces).t().contiguous().float()

    def _make_plan(self, choices: frozenset[Ranges]) -> Plan:
        vocab_size = len(self._weight)
        ranges = _bridged(merged(part for choice in choices for part in choice))
        if sum(end - first for first, end in ranges) > vocab_size // 2:
            ranges = ((0, vocab_size),)
        ids = [torch.arange(first, end, device=self._weight.device) for first, end in ranges]
        return Plan(ranges, torch.cat(ids), {})


def restrict(scores: torch.Tensor, plan: Plan, choices: Sequence[Ranges]) -> torch.Tensor:
    """Give ids outside a request's choice the score minus infinity; ``scores`` [R, N], one choice a row."""
    masks = [plan.mask(choice) for choice in choices]
    for row, mask in enumerate(masks):
        if mask is not None:
            scores[row].masked_fill_(~mask, -math.inf)
    return scores


def _bridged(ranges: Ranges) -> Ranges:
    """Join ranges over the smallest gaps until few enough are left."""
    gaps = sorted(range(1, len(ranges)), key=lambda at: ranges[at][0] - ranges[at - 1][1], reverse=True)
    cuts = sorted([0, *gaps[: _PIECES - 1], len(ranges)])
    return tuple((ranges[cut][0], ranges[end - 1][1]) for cut, end in pairwise(cuts))
