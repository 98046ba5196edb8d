"""A language model that writes in Spark-TTS's order, and goes wrong when it is told to; it needs no weights."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable

from engines.spark import golden
from flashtts_core.engines.spark.prompt import Vocabulary
from flashtts_core.types import TokenRequest

Script = Callable[[Vocabulary, TokenRequest], list[int]]


class ScriptedBackend:
    """Answers every request with the ids of ``script``, ``at_once`` in a delta; ``requests`` keeps what was asked.

    ``given`` counts the ids handed out, so that a test can see that closing reached the model.
    """

    vocab_size = 2560
    max_length = 4096

    def __init__(self, vocabulary: Vocabulary, script: Script, *, at_once: int = 7) -> None:
        self.vocabulary = vocabulary
        self.script = script
        self.at_once = at_once
        self.requests: list[TokenRequest] = []
        self.running = 0
        self.given = 0
        self.alive = True

    async def generate(self, request: TokenRequest) -> AsyncGenerator[list[int], None]:
        self.requests.append(request)
        ids = self.script(self.vocabulary, request)
        end = next((place for place, token in enumerate(ids) if token in request.stop), len(ids))
        ids = ids[: min(end, request.sampling.max_tokens or end)]
        self.running += 1
        try:
            for start in range(0, len(ids), self.at_once):
                await asyncio.sleep(0)
                delta = ids[start : start + self.at_once]
                self.given += len(delta)
                yield delta
        finally:
            self.running -= 1

    async def aclose(self) -> None:
        self.alive = False


def chance_of(request: TokenRequest) -> random.Random:
    """Return chance that depends on prompt and seed alone."""
    return random.Random(f"{request.sampling.seed}:{request.prompt}")


def voice(vocabulary: Vocabulary, chance: random.Random, *, count: int = 32) -> list[int]:
    names = [f"<|pitch_value_{chance.randrange(1000)}|>", f"<|speed_value_{chance.randrange(10)}|>"]
    attributes = [vocabulary.marks["start_acoustic_token"], *vocabulary.read(names)]
    return list(vocabulary.acoustics(attributes, [chance.randrange(256) for _ in range(count)]))


def speech(vocabulary: Vocabulary, chance: random.Random, *, count: int | None = None) -> list[int]:
    length = chance.randint(60, 90) if count is None else count
    tokens = [vocabulary.semantics.ids[chance.randrange(512)] for _ in range(length)]
    return [vocabulary.marks["start_semantic_token"], *tokens, vocabulary.marks["im_end"]]


def has_voice(vocabulary: Vocabulary, request: TokenRequest) -> bool:
    return vocabulary.marks["end_global_token"] in request.prompt


def well(vocabulary: Vocabulary, request: TokenRequest) -> list[int]:
    """Answer as the model should: a voice if none is given, then speech."""
    chance = chance_of(request)
    made_up = [] if has_voice(vocabulary, request) else voice(vocabulary, chance)
    return [*made_up, *speech(vocabulary, chance)]


def greedy(vocabulary: Vocabulary, request: TokenRequest) -> list[int]:
    """Replay the golden greedy answer that goes on from this prompt."""
    for answer in golden.MANIFEST["llm"]:
        index = answer["prompt_index"]
        known = (*golden.numbers(f"llm.{index}.input_ids"), *golden.numbers(f"llm.{index}.greedy_ids"))
        if known[: len(request.prompt)] == request.prompt:
            return list(known[len(request.prompt) :])
    raise AssertionError("no golden answer goes on from this prompt")
