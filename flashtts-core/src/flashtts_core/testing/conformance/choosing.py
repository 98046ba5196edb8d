"""Which ids a backend chooses: the likeliest, or drawn as the settings say, out of those that may follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import pytest

from flashtts_core.backends import Restriction
from flashtts_core.backends.guard import GuardedBackend
from flashtts_core.testing.conformance.opened import OpenedBackend, gathered, ids_of, staggered
from flashtts_core.testing.distribution import Draw, misfit, probabilities
from flashtts_core.types import SAMPLING_FIELDS, IdRanges, Sampling, TokenRequest

GREEDY_TOKENS = 32
NEUTRAL = Sampling(1.0, 0, 1.0, 1.0)
SETTINGS = {
    "temperature": Sampling(0.6, 0, 1.0, 1.0),
    "top_k": Sampling(1.0, 5, 1.0, 1.0),
    "top_p": Sampling(1.0, 0, 0.5, 1.0),
    "repetition_penalty": Sampling(1.0, 0, 1.0, 1.8),
}
"""Settings that change one thing; together with what is honoured of ``TOGETHER`` they are drawn from in one batch."""
TOGETHER = Sampling(0.8, 40, 0.9, 1.3)
_DRAWS_EACH = (8, 96)
"""Requests, and ids each, from which a distribution is judged."""
_FITS = 5.0
_DIFFERS = 8.0
"""Standard deviations: draws of the right distribution pass 5 once in a million tries, and those of another are far."""

FLAT = (IdRanges(((10, 20), (40, 45))),)
CYCLE = (IdRanges(((10, 20),)), IdRanges(((30, 40),)), IdRanges(((50, 60),)))
UNION = IdRanges(((10, 20), (30, 40), (50, 60)))

KEPT: dict[Restriction, Sequence[tuple[tuple[IdRanges, ...], tuple[IdRanges, ...]]]] = {
    "none": [(FLAT, ()), (CYCLE, ())],
    "flat": [(FLAT, FLAT), (CYCLE, (UNION,))],
    "cycle": [(FLAT, FLAT), (CYCLE, CYCLE)],
}
"""What is asked for and what must be kept, by what the spec says: ``flat`` holds to the union of a cycle's sets."""


class ChoosingContract(OpenedBackend):
    """Greedy answers are the reference's; draws have its distribution, belong to the request, and keep to the rules."""

    def test_greedy_answers_are_the_references_alone_and_in_staggered_company(self) -> None:
        async def work(backend: GuardedBackend) -> None:
            prompts = self.prompts(backend.vocab_size)
            expected = [self.reference().greedy(prompt, GREEDY_TOKENS) for prompt in prompts]
            requests = [
                self.request(f"g{number}", prompt=prompt, temperature=0.0, max_tokens=GREEDY_TOKENS)
                for number, prompt in enumerate(prompts)
            ]
            assert [await ids_of(backend, request) for request in requests] == expected
            assert await staggered(backend, requests) == expected
            assert await gathered([ids_of(backend, request) for request in requests[::-1]]) == expected[::-1]

        self.check(work)

    def test_greedy_answers_do_not_depend_on_how_one_would_sample(self) -> None:
        async def work(backend: GuardedBackend) -> None:
            greedy = self.request(temperature=0.0)
            changed = self.request(temperature=0.0, top_k=3, top_p=0.4, seed=99)
            assert await ids_of(backend, greedy) == await ids_of(backend, changed)

        self.check(work)

    def test_the_repetition_penalty_counts_prompt_and_answer_beside_requests_without_it(self) -> None:
        if "repetition_penalty" not in self.spec.sampling:
            return self._check_harmless("repetition_penalty", 1.5)

        async def work(backend: GuardedBackend) -> None:
            prompts = self.prompts(backend.vocab_size)[:4]
            penalties = [1.0, 1.25, 1.5, 2.0]
            expected = [
                self.reference().greedy(prompt, GREEDY_TOKENS, penalty=penalty)
                for prompt, penalty in zip(prompts, penalties, strict=True)
            ]
            requests = [
                self.request(f"p{at}", prompt=prompt, temperature=0.0, repetition_penalty=penalties[at], max_tokens=32)
                for at, prompt in enumerate(prompts)
            ]
            assert await staggered(backend, requests) == expected

        return self.check(work)

    @pytest.mark.parametrize("field", SETTINGS)
    def test_one_setting_has_the_effect_that_transformers_gives_it(self, field: str) -> None:
        if field not in self.spec.sampling:
            return self._check_harmless(field, getattr(SETTINGS[field], field))

        async def work(backend: GuardedBackend) -> None:
            answers = await self._answers(backend, SETTINGS[field])
            assert misfit(self._draws(answers, SETTINGS[field])) < _FITS, f"{field} has another effect"
            assert misfit(self._draws(answers, NEUTRAL)) > _DIFFERS, f"{field} has no effect, or the model is too flat"

        return self.check(work)

    def test_settings_work_together_and_beside_requests_with_other_settings(self) -> None:
        async def work(backend: GuardedBackend) -> None:
            settings = [self._honoured(each) for each in (TOGETHER, NEUTRAL, *SETTINGS.values())]
            answers = await gathered([self._answers(backend, each, f"{at}-") for at, each in enumerate(settings)])
            for sampling, answer in zip(settings, answers, strict=True):
                assert misfit(self._draws(answer, sampling)) < _FITS, sampling

        self.check(work)

    def test_the_same_seed_gives_the_same_ids_alone_and_in_company(self) -> None:
        if "seed" not in self.spec.sampling:
            return self._check_harmless("seed", 1234)

        async def work(backend: GuardedBackend) -> None:
            prompts = self.prompts(backend.vocab_size)
            sampling = {"temperature": 0.9, "top_k": 50, "top_p": 0.95, "max_tokens": 48}
            requests = [
                self.request(f"s{seed}", prompt=prompt, seed=seed, **sampling) for seed, prompt in enumerate(prompts)
            ]
            alone = [await ids_of(backend, request) for request in requests]
            assert await staggered(backend, requests) == alone
            assert await gathered([ids_of(backend, request) for request in requests[::-1]]) == alone[::-1]
            other = msgspec.structs.replace(requests[0], sampling=msgspec.structs.replace(requests[0].sampling, seed=9))
            assert await ids_of(backend, other) != alone[0], "another seed should give another answer"

        return self.check(work)

    def test_ids_that_may_not_follow_never_do_in_ten_thousand(self) -> None:
        async def work(backend: GuardedBackend) -> None:
            for asked, kept in KEPT[self.spec.restriction]:
                requests = [
                    self.request(f"a{seed}", allowed=asked, temperature=1.5, seed=seed, max_tokens=320)
                    for seed in range(16)
                ]
                for ids in await gathered([ids_of(backend, request) for request in requests]):
                    assert len(ids) == 320
                    assert all(0 <= token < backend.vocab_size for token in ids)
                    assert all(token in kept[at % len(kept)] for at, token in enumerate(ids) if kept)

        self.check(work)

    def test_what_may_follow_is_chosen_as_the_reference_would(self) -> None:
        async def work(backend: GuardedBackend) -> None:
            for asked, kept in KEPT[self.spec.restriction]:
                greedy = self.request(allowed=asked, temperature=0.0)
                self._assert_likeliest(await ids_of(backend, greedy), kept)
                sampling = self._honoured(TOGETHER)
                answers = await self._answers(backend, sampling, allowed=asked)
                assert misfit(self._draws(answers, sampling, kept)) < _FITS

        self.check(work)

    def test_stop_ids_may_always_follow(self) -> None:
        async def work(backend: GuardedBackend) -> None:
            (likeliest, *_) = await ids_of(backend, self.request(temperature=0.0))
            for allowed in (FLAT, CYCLE):
                request = self.request(temperature=0.0, stop=frozenset({likeliest}), allowed=allowed)
                assert await ids_of(backend, request) == []

        self.check(work)

    def _check_harmless(self, field: str, value: float) -> None:
        """Check what is promised of a setting that is not honoured: it is accepted, and the answer is whole.

        That the user is told so is the host's part.
        """

        async def work(backend: GuardedBackend) -> None:
            sampling = msgspec.structs.replace(self.request().sampling, **{field: value})
            assert len(await ids_of(backend, self.request(sampling=sampling))) == 24

        self.check(work)

    def _honoured(self, sampling: Sampling) -> Sampling:
        ignored = {name: getattr(NEUTRAL, name) for name in SAMPLING_FIELDS if name not in self.spec.sampling}
        return msgspec.structs.replace(sampling, **ignored)

    async def _answers(
        self, backend: GuardedBackend, sampling: Sampling, key: str = "", allowed: tuple[IdRanges, ...] = ()
    ) -> list[tuple[TokenRequest, list[int]]]:
        count, length = _DRAWS_EACH
        # Long prompts, so that the repetition penalty has much to say.
        prompts = self.prompts(backend.vocab_size, [200] * count)
        requests = [
            TokenRequest(
                f"{key}{seed}",
                prompt,
                frozenset(),
                msgspec.structs.replace(sampling, max_tokens=length, seed=seed),
                allowed,
            )
            for seed, prompt in enumerate(prompts)
        ]
        answers = await gathered([ids_of(backend, request) for request in requests])
        return list(zip(requests, answers, strict=True))

    def _draws(
        self, answers: list[tuple[TokenRequest, list[int]]], sampling: Sampling, kept: tuple[IdRanges, ...] = ()
    ) -> Iterator[Draw]:
        """Yield every id that was written, with the distribution it should have come from."""
        for request, answer in answers:
            ids = [*request.prompt, *answer]
            scores = self.reference().scores(ids[:-1])[len(request.prompt) - 1 :]
            for at, (row, token) in enumerate(zip(scores, answer, strict=True)):
                allowed = kept[at % len(kept)] if kept else None
                seen = frozenset(ids[: len(request.prompt) + at])
                share = probabilities(row, sampling, seen=seen, allowed=allowed, top_p_of_all=self.top_p_of_all)
                yield Draw(token, share, seen)

    def _assert_likeliest(self, answer: list[int], kept: tuple[IdRanges, ...]) -> None:
        scores = self.reference().scores([*self.prompt, *answer[:-1]])[len(self.prompt) - 1 :]
        greedy = Sampling(temperature=0.0)
        for at, (row, token) in enumerate(zip(scores, answer, strict=True)):
            allowed = kept[at % len(kept)] if kept else None
            assert probabilities(row, greedy, allowed=allowed).argmax() == token
