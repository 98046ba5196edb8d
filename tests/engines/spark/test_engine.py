"""The engine from text to samples, on a language model that is scripted."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.spark import golden, scripted
from engines.spark.golden import assert_golden
from engines.spark.scripted import Script, ScriptedBackend
from flashtts_core.backends import Backend
from flashtts_core.continuity import Continuity
from flashtts_core.engines import EngineContext
from flashtts_core.engines.spark import SparkSettings
from flashtts_core.engines.spark.engine import SparkEngine, open_spark
from flashtts_core.engines.spark.fixed import FILE_NAME
from flashtts_core.engines.spark.prompt import Vocabulary
from flashtts_core.errors import BadAudio, BadCheckpoint, EmptySpeech, EngineError, RequestError
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing.conformance import EngineContract, run
from flashtts_core.types import AudioChunk, Line, Reference, Sampling, SpeechRequest, Style, TokenRequest, Usage, Voice

EXACT = SparkSettings(look_ahead=4096)


async def open_engine(
    backend: ScriptedBackend, *, own: SparkSettings | None = None, settings: Settings | None = None
) -> SparkEngine:
    async def open_backend(folder: Path) -> Backend:
        assert folder == golden.CHECKPOINT / "LLM"
        return backend

    return await open_spark(EngineContext(golden.CHECKPOINT, settings or Settings(), open_backend, own))


@asynccontextmanager
async def opened(
    vocabulary: Vocabulary, script: Script = scripted.well, **options: Any
) -> AsyncIterator[tuple[SparkEngine, ScriptedBackend]]:
    backend = ScriptedBackend(vocabulary, script)
    engine = await open_engine(backend, **options)
    try:
        yield engine, backend
    finally:
        await engine.aclose()


def line_of(engine: SparkEngine, text: str = "Hello.", **changes: Any) -> Line:
    sampling = msgspec.structs.replace(engine.defaults, seed=3)
    line = Line("request", 0, text, "en", engine.voices["female"], Style(), sampling)
    return msgspec.structs.replace(line, **changes)


def greedily(engine: SparkEngine) -> Sampling:
    return msgspec.structs.replace(engine.defaults, temperature=0.0)


async def chunks_of(engine: SparkEngine, line: Line) -> list[AudioChunk]:
    async with aclosing(engine.speak(line)) as chunks:
        return [chunk async for chunk in chunks]


async def sound_of(engine: SparkEngine, line: Line) -> NDArray[np.float32]:
    return np.concatenate([chunk.samples for chunk in await chunks_of(engine, line)])


class TestSparkEngine(EngineContract):
    async def open_engine(self) -> SparkEngine:
        vocabulary = Vocabulary.load(golden.CHECKPOINT / "LLM" / "tokenizer.json")
        return await open_engine(ScriptedBackend(vocabulary, scripted.well))


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("own", [EXACT, SparkSettings(first_chunk=500, largest_chunk=500)], ids=["streamed", "whole"])
def test_greedy_answers_are_the_golden_waves(vocabulary: Vocabulary, number: int, own: SparkSettings) -> None:
    answer = golden.MANIFEST["llm"][number]
    prompt = golden.MANIFEST["prompts"][answer["prompt_index"]]

    async def check() -> None:
        async with opened(vocabulary, scripted.greedy, own=own) as (engine, _):
            voice = engine.voices[prompt.get("gender") or "female"]
            if prompt["kind"] == "clone":
                codes = {
                    "globals": np.array(prompt["global_tokens"], np.int32),
                    "semantics": np.array(prompt["semantic_tokens"], np.int32),
                }
                if prompt["reference_text"]:
                    codes["transcript"] = np.frombuffer(prompt["reference_text"].encode(), np.uint8)
                voice = msgspec.structs.replace(voice, name="cloned", builtin=False, codes=codes)
            line = line_of(
                engine,
                prompt["text"],
                voice=voice,
                style=Style(prompt["pitch"], prompt["speed"]),
                sampling=greedily(engine),
            )
            chunks = await chunks_of(engine, line)
            assert_golden(f"e2e.{answer['prompt_index']}.wave", np.concatenate([chunk.samples for chunk in chunks]))
            total = sum((chunk.usage for chunk in chunks), Usage())
            stops = 1 if answer["stopped"] else 0
            assert total == Usage(len(prompt["input_ids"]), answer["n_new"] - stops)

    run(check())


def test_a_recording_becomes_the_golden_tokens_and_speaks(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        async with opened(vocabulary) as (engine, backend):
            reference = Reference(golden.recording("c_quiet8k"), transcript=" Say <|im_end|>this. ")
            voice = await engine.encode_voice("mine", reference)
            assert tuple(voice.codes["globals"]) == golden.numbers("enc.c_quiet8k.norm.global_tokens")
            assert tuple(voice.codes["semantics"]) == golden.numbers("enc.c_quiet8k.norm.semantic_tokens")
            assert voice.codes["transcript"].tobytes().decode() == "Say this."
            assert (await sound_of(engine, line_of(engine, voice=voice))).size
            prompt = backend.requests[0].prompt
            assert prompt[-1] == vocabulary.semantics.ids[int(voice.codes["semantics"][-1])]

    run(check())


@pytest.mark.parametrize(
    "codes",
    [{"globals": [1] * 31}, {"globals": [256] + [1] * 31}, {"globals": [1] * 32, "semantics": [512]}],
)
def test_a_voice_of_another_model_is_refused(vocabulary: Vocabulary, codes: dict[str, list[int]]) -> None:
    async def check() -> None:
        async with opened(vocabulary) as (engine, _):
            plain: dict[str, list[int]] = {"semantics": [], **codes}
            arrays = {kind: np.array(tokens, np.int32) for kind, tokens in plain.items()}
            voice = Voice("old", "spark", codes=arrays)
            with pytest.raises(RequestError, match="'old' was made with another"):
                await chunks_of(engine, line_of(engine, voice=voice))

    run(check())


def test_volume_normalisation_can_be_switched_off(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        async with opened(vocabulary, own=SparkSettings(volume_normalize=False)) as (engine, _):
            voice = await engine.encode_voice("raw", Reference(golden.recording("a")))
            assert tuple(voice.codes["semantics"]) == golden.numbers("enc.a.raw.semantic_tokens")

    run(check())


def test_bad_recordings_are_refused_and_the_engine_goes_on(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        async with opened(vocabulary, settings=Settings(max_reference_seconds=2)) as (engine, _):
            with pytest.raises(BadAudio):
                await engine.encode_voice("", Reference(b"noise"))
            with pytest.raises(RequestError, match="2 seconds"):
                await engine.encode_voice("", Reference(golden.recording("a")))
            assert (await sound_of(engine, line_of(engine))).size

    run(check())


def test_the_lines_of_a_request_share_the_voice_of_the_first(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        async with opened(vocabulary) as (engine, backend):
            continuity = Continuity()
            lines = [line_of(engine, f"Line {n}.", index=n, continuity=continuity) for n in range(3)]
            together = await asyncio.gather(*(sound_of(engine, line) for line in lines))
            first, *others = backend.requests
            made_up = scripted.voice(vocabulary, scripted.chance_of(first))
            assert not scripted.has_voice(vocabulary, first)
            for request in others:
                assert list(request.prompt[-len(made_up) :]) == made_up
            continuity = Continuity()
            for line, sound in zip(lines, together, strict=True):
                again = await sound_of(engine, msgspec.structs.replace(line, continuity=continuity))
                np.testing.assert_array_equal(again, sound)

    run(check())


def test_another_pitch_keeps_the_speaker_of_the_request(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        async with opened(vocabulary) as (engine, backend):
            continuity = Continuity()
            await chunks_of(engine, line_of(engine, continuity=continuity))
            await chunks_of(engine, line_of(engine, continuity=continuity, style=Style("high", "low"), index=1))
            first, attributes, second = backend.requests
            speaker = scripted.voice(vocabulary, scripted.chance_of(first))[4:]
            assert list(second.prompt[-len(speaker) :]) == speaker
            named = scripted.voice(vocabulary, scripted.chance_of(attributes))[:4]
            assert list(second.prompt[-len(speaker) - 4 : -len(speaker)]) == named

    run(check())


def test_a_model_that_names_no_attributes_keeps_the_speaker_all_the_same(vocabulary: Vocabulary) -> None:
    def reticent(vocabulary: Vocabulary, request: TokenRequest) -> list[int]:
        ids = scripted.well(vocabulary, request)
        return ids if scripted.has_voice(vocabulary, request) else ids[4:]

    async def check() -> None:
        async with opened(vocabulary, reticent) as (engine, backend):
            continuity = Continuity()
            await chunks_of(engine, line_of(engine, continuity=continuity))
            await chunks_of(engine, line_of(engine, continuity=continuity, style=Style("high"), index=1))
            first, _, second = backend.requests
            speaker = scripted.voice(vocabulary, scripted.chance_of(first))[4:]
            assert list(second.prompt[-len(speaker) :]) == speaker

    run(check())


def test_requests_have_voices_of_their_own_unless_they_are_fixed(vocabulary: Vocabulary, tmp_path: Path) -> None:
    async def speakers(settings: Settings) -> set[tuple[int, ...]]:
        async with opened(vocabulary, settings=settings) as (engine, backend):
            for seed in (1, 2):
                sampling = msgspec.structs.replace(engine.defaults, seed=seed)
                await chunks_of(engine, line_of(engine, sampling=sampling, continuity=Continuity()))
            found = set()
            for request in backend.requests:
                if scripted.has_voice(vocabulary, request):
                    found.add(request.prompt[-33:-1])
                else:
                    found.add(tuple(scripted.voice(vocabulary, scripted.chance_of(request))[-33:-1]))
            return found

    fixed = Settings(fix_voice=True, voice_dir=str(tmp_path))
    assert len(run(speakers(Settings()))) == 2
    first = run(speakers(fixed))
    assert len(first) == 1
    assert run(speakers(fixed)) == first, "a restart keeps the voice"
    kept = json.loads((tmp_path / FILE_NAME).read_text())
    assert list(kept) == ["female"]


def test_a_fixed_voice_sounds_the_same_from_the_first_request_on(vocabulary: Vocabulary, tmp_path: Path) -> None:
    async def check() -> None:
        settings = Settings(fix_voice=True, voice_dir=str(tmp_path))
        async with opened(vocabulary, settings=settings) as (engine, _):
            first = await sound_of(engine, line_of(engine))
            np.testing.assert_array_equal(await sound_of(engine, line_of(engine)), first)

    run(check())


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"female": {"tokens": ["x"], "labels": {}}}',
        '{"female": {"tokens": ["<|bicodec_global_1|>"], "labels": {}}}',
    ],
)
def test_kept_voices_that_cannot_be_used_are_made_anew_with_a_warning(
    vocabulary: Vocabulary, tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE_NAME).write_text(content)

    async def check() -> None:
        settings = Settings(fix_voice=True, voice_dir=str(tmp_path))
        async with opened(vocabulary, settings=settings) as (engine, _):
            assert (await sound_of(engine, line_of(engine))).size

    with caplog.at_level(logging.WARNING):
        run(check())
    assert FILE_NAME in caplog.text
    assert len(json.loads((tmp_path / FILE_NAME).read_text())["female"]["tokens"]) == 38


def test_a_folder_that_cannot_be_written_keeps_the_voice_until_the_end(
    vocabulary: Vocabulary, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")

    async def check() -> None:
        settings = Settings(fix_voice=True, voice_dir=str(tmp_path / "file"))
        async with opened(vocabulary, settings=settings) as (engine, _):
            first = await sound_of(engine, line_of(engine))
            np.testing.assert_array_equal(await sound_of(engine, line_of(engine)), first)

    with caplog.at_level(logging.WARNING):
        run(check())
    assert "cannot be kept" in caplog.text


def nothing(vocabulary: Vocabulary, request: TokenRequest) -> list[int]:
    return [vocabulary.marks["im_end"]]


def no_speech(vocabulary: Vocabulary, request: TokenRequest) -> list[int]:
    return [*scripted.voice(vocabulary, scripted.chance_of(request)), vocabulary.marks["im_end"]]


def half_a_voice(vocabulary: Vocabulary, request: TokenRequest) -> list[int]:
    chance = scripted.chance_of(request)
    return [*scripted.voice(vocabulary, chance, count=31), *scripted.speech(vocabulary, chance)]


def endless_voice(vocabulary: Vocabulary, request: TokenRequest) -> list[int]:
    return [vocabulary.marks["start_global_token"], *[vocabulary.globals.ids[7]] * 4000]


def loop(vocabulary: Vocabulary, request: TokenRequest) -> list[int]:
    made_up = scripted.voice(vocabulary, scripted.chance_of(request))
    return [*made_up, vocabulary.marks["start_semantic_token"], *[vocabulary.semantics.ids[7]] * 4000]


@pytest.mark.parametrize("script", [nothing, no_speech, half_a_voice, endless_voice])
def test_an_answer_without_speech_is_tried_again_with_other_seeds_and_then_refused(
    vocabulary: Vocabulary, script: Script
) -> None:
    async def check() -> None:
        async with opened(vocabulary, script, own=SparkSettings(retries=2)) as (engine, backend):
            with pytest.raises(EmptySpeech, match="3 attempts"):
                await chunks_of(engine, line_of(engine))
            assert len({request.sampling.seed for request in backend.requests}) == 3
            assert backend.running == 0

    run(check())


@pytest.mark.parametrize("script", [nothing, no_speech, half_a_voice, endless_voice])
def test_another_seed_mends_an_answer(vocabulary: Vocabulary, script: Script) -> None:
    def once(vocabulary: Vocabulary, request: TokenRequest) -> list[int]:
        return (script if request.sampling.seed == 3 else scripted.well)(vocabulary, request)

    async def check() -> None:
        async with opened(vocabulary, once) as (engine, backend):
            chunks = await chunks_of(engine, line_of(engine))
            assert sum(len(chunk.samples) for chunk in chunks) > 0
            total = sum((chunk.usage for chunk in chunks), Usage())
            assert total.input_tokens == sum(len(request.prompt) for request in backend.requests)
            assert total.output_tokens == backend.given
            assert total.retries == len({request.sampling.seed for request in backend.requests}) - 1 == 1

    run(check())


def test_a_greedy_answer_without_speech_is_not_tried_again(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        async with opened(vocabulary, nothing) as (engine, backend):
            with pytest.raises(EmptySpeech, match="temperature 0"):
                await chunks_of(engine, line_of(engine, sampling=greedily(engine)))
            assert len(backend.requests) == 1

    run(check())


def test_a_loop_ends_in_an_error_soon(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        async with opened(vocabulary, loop) as (engine, backend):
            with pytest.raises(EngineError, match="repeated itself"):
                await chunks_of(engine, line_of(engine))
            assert backend.given < 250, "the model was stopped"
            assert backend.running == 0

    run(check())


def test_a_loop_is_tried_again_as_long_as_nothing_was_heard(vocabulary: Vocabulary) -> None:
    def once(vocabulary: Vocabulary, request: TokenRequest) -> list[int]:
        return (loop if request.sampling.seed == 3 else scripted.well)(vocabulary, request)

    async def check() -> None:
        late = SparkSettings(first_chunk=400, largest_chunk=400)
        async with opened(vocabulary, once, own=late) as (engine, _):
            assert (await sound_of(engine, line_of(engine))).size

    run(check())


def test_closing_stops_the_model(vocabulary: Vocabulary) -> None:
    def long(vocabulary: Vocabulary, request: TokenRequest) -> list[int]:
        chance = scripted.chance_of(request)
        return [*scripted.voice(vocabulary, chance), *scripted.speech(vocabulary, chance, count=3000)]

    async def check() -> None:
        async with opened(vocabulary, long) as (engine, backend):
            async with aclosing(engine.speak(line_of(engine))) as chunks:
                await anext(chunks)
                assert backend.running == 1
            assert backend.running == 0
            assert backend.given < 200

    run(check())


def test_a_line_that_was_closed_while_it_made_up_the_voice_lets_the_next_do_it(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        async with opened(vocabulary) as (engine, backend):
            continuity = Continuity()
            first = asyncio.create_task(chunks_of(engine, line_of(engine, continuity=continuity)))
            while not backend.requests:
                await asyncio.sleep(0)
            second = asyncio.create_task(chunks_of(engine, line_of(engine, continuity=continuity, index=1)))
            await asyncio.sleep(0)
            first.cancel()
            assert await second
            assert backend.running == 0

    run(check())


def test_the_first_chunk_comes_before_the_answer_is_complete(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        async with opened(vocabulary) as (engine, backend), aclosing(engine.speak(line_of(engine))) as chunks:
            first = await anext(chunks)
            assert len(first.samples) == SparkSettings().first_chunk * 320
            assert backend.given < 36 + 25 + 20 + 2 * backend.at_once

    run(check())


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_whole_request_is_the_streamed_one(vocabulary: Vocabulary, tmp_path: Path, batch_size: int) -> None:
    text = "First we say this here. Then we say that there. And at the end we say nothing much at all."

    async def spoken(*, whole: bool) -> NDArray[np.float32]:
        settings = Settings(voice_dir=str(tmp_path), batch_size=batch_size)
        engine = await open_engine(ScriptedBackend(vocabulary, scripted.well), settings=settings)
        async with Synthesizer(engine, settings) as synthesizer:
            limits = msgspec.structs.replace(SpeechRequest("").limits, length_threshold=5, window_size=12)
            request = SpeechRequest(text, limits=limits, sampling=Sampling(seed=5))
            async with await synthesizer.open(request, whole=whole) as stream:
                return (await stream.read()).samples

    streamed = run(spoken(whole=False))
    assert len(streamed) > 3 * 16_000
    np.testing.assert_allclose(run(spoken(whole=True)), streamed, rtol=0, atol=1e-5)


def test_languages_and_tokens_are_counted(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        async with opened(vocabulary) as (engine, _):
            assert [engine.language(text) for text in ("Hello", "你好 hello", "12")] == ["en", "zh", "en"]
            assert engine.count_tokens("Hello there") == len(vocabulary.encode("Hello there"))
            await engine.warm_up()
            assert engine.alive

    run(check())


def test_warming_up_survives_a_model_that_says_nothing(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        async with opened(vocabulary, nothing) as (engine, _):
            await engine.warm_up()

    run(check())


def test_a_model_smaller_than_its_tokenizer_is_refused_and_closed(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        backend = ScriptedBackend(vocabulary, scripted.well)
        backend.vocab_size = 2000
        with pytest.raises(BadCheckpoint, match="2000 ids"):
            await open_engine(backend)
        assert not backend.alive

    run(check())


def test_a_dead_model_makes_the_engine_dead(vocabulary: Vocabulary) -> None:
    async def check() -> None:
        async with opened(vocabulary) as (engine, backend):
            backend.alive = False
            assert not engine.alive

    run(check())


def test_the_right_number_of_globals_is_counted_in_order(vocabulary: Vocabulary) -> None:
    def names(request: TokenRequest) -> Sequence[str]:
        return vocabulary.spell(request.prompt[-34:])

    async def check() -> None:
        async with opened(vocabulary) as (engine, backend):
            continuity = Continuity()
            for index in range(2):
                await chunks_of(engine, line_of(engine, continuity=continuity, index=index))
            assert names(backend.requests[1])[0] == "<|start_global_token|>"
            assert all("bicodec_global_" in name for name in names(backend.requests[1])[1:-1])

    run(check())
