"""The engine, on the torch backend with golden and with random weights, and on a backend that plays back ids."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.orpheus import golden
from engines.orpheus.golden import FRAMES
from engines.orpheus.playing import (
    Playback,
    chunks_of,
    ids_of,
    line,
    on_torch,
    open_on,
    open_on_torch,
    playing,
    sound_of,
)
from flashtts_core.engines.orpheus import OrpheusSettings
from flashtts_core.engines.orpheus.codec.decoder import Piece, SnacDecoder
from flashtts_core.engines.orpheus.engine import OrpheusEngine
from flashtts_core.engines.orpheus.speaking import LONGEST_IDLE
from flashtts_core.errors import BadCheckpoint, ConfigError, EmptySpeech, NotSupported, UnknownVoice
from flashtts_core.settings import Settings
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing.conformance import EngineContract, run
from flashtts_core.testing.fakes import tone_reference
from flashtts_core.types import Reference, Sampling, SpeechRequest, Style

FRAME = 2048
SHORT = 7 * 9  # tokens of an answer of nine frames


class TestOrpheus(EngineContract):
    async def open_engine(self) -> OrpheusEngine:
        return await open_on_torch()


@pytest.mark.parametrize("number", range(5))
def test_the_whole_engine_speaks_the_golden_codes(codec: SnacDecoder, number: int) -> None:
    case = golden.PROMPTS["cases"][number]
    lang = {"长乐": "mandarin", "pierre": "french", "유나": "korean"}.get(case["voice"], "english")

    async def check() -> None:
        async with on_torch(lang=lang) as engine:
            spoken = line(engine, case["text"], voice=case["voice"], temperature=0.0, repetition_penalty=1.0, seed=3)
            samples = await sound_of(engine, spoken)
            (expected,) = codec.decode([Piece(FRAMES, 0, 0, len(FRAMES), 3)])
            np.testing.assert_allclose(samples, expected, rtol=0, atol=1e-5)

    run(check())


def test_what_is_played_back_is_what_the_golden_language_model_writes() -> None:
    assert golden.tensor("p0.greedy_ids")[0, :-1].tolist() == ids_of(FRAMES)


def test_lines_differ_with_text_voice_and_seed_and_are_the_same_in_any_company(random_checkpoint: Path) -> None:
    async def check() -> None:
        async with on_torch(random_checkpoint, batch_size=4, wait_timeout=0.002) as engine:
            lines = [
                line(engine, text, voice=voice, seed=seed, max_tokens=SHORT + 7 * seed)
                for text in ("One.", "Something else.")
                for voice, seed in (("tara", 0), ("tara", 1), ("leo", 2))
            ]
            alone = [await sound_of(engine, each) for each in lines]
            together = await asyncio.gather(*(sound_of(engine, each) for each in lines))
            for one, other in zip(alone, together, strict=True):
                np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)
            shortest = min(map(len, alone))
            for first in range(len(alone)):
                for second in range(first):
                    assert np.abs(alone[first][:shortest] - alone[second][:shortest]).max() > 0.01

    run(check())


def test_an_answer_restricted_to_slots_has_no_stray_ids(random_checkpoint: Path) -> None:
    async def check() -> None:
        async with on_torch(random_checkpoint) as engine:
            assert len(await sound_of(engine, line(engine, max_tokens=SHORT, temperature=2.0))) == 9 * FRAME

    run(check())


def test_streamed_and_whole_answers_of_several_lines_are_the_same(random_checkpoint: Path, tmp_path: Path) -> None:
    text = "The first sentence is here. The second <laugh> comes after it! And the third one ends it, at last."
    request = SpeechRequest(text, sampling=Sampling(seed=4, max_tokens=SHORT), voice="zoe")

    async def check() -> None:
        async with on_torch(random_checkpoint, batch_size=3) as engine:
            async with Synthesizer(engine, Settings(voice_dir=str(tmp_path))) as synthesizer:
                async with await synthesizer.open(request) as stream:
                    streamed = [chunk async for chunk in await stream.start()]
                async with await synthesizer.open(request, whole=True) as stream:
                    whole = (await stream.read()).samples
            np.testing.assert_allclose(np.concatenate([each.samples for each in streamed]), whole, rtol=0, atol=1e-5)
            assert len(whole) == sum(each.usage.output_tokens for each in streamed) // 7 * FRAME

    run(check())


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_closing_frees_the_place_in_the_batch_and_harms_no_other_line(random_checkpoint: Path, taken: int) -> None:
    async def check() -> None:
        async with on_torch(random_checkpoint) as engine:
            backend = engine._instruments.backend
            alone = await sound_of(engine, line(engine, "Stay.", max_tokens=SHORT))
            other = asyncio.create_task(sound_of(engine, line(engine, "Stay.", max_tokens=SHORT)))
            async with aclosing(engine.speak(line(engine, "Go.", max_tokens=900))) as chunks:
                for _ in range(taken):
                    await anext(chunks)
            np.testing.assert_allclose(await other, alone, rtol=0, atol=1e-5)
            async with asyncio.timeout(20):
                while backend.running:
                    await asyncio.sleep(0)

    run(check())


def test_closing_stops_the_model_within_a_token() -> None:
    async def check() -> None:
        backend = Playback(ids_of(FRAMES))
        async with playing(backend) as engine:
            async with aclosing(engine.speak(line(engine))) as chunks:
                await anext(chunks)
                assert (backend.running, backend.given) == (1, 28)
            assert (backend.running, backend.given) == (0, 28)

    run(check())


def test_the_first_sound_comes_with_the_fourth_frame_and_nothing_is_lost(codec: SnacDecoder) -> None:
    async def check() -> None:
        for length in (1, 2, 3, 4, 5, 12):
            backend = Playback(ids_of(FRAMES[:length]))
            async with playing(backend) as engine:
                arrivals = [(backend.given, chunk.samples) async for chunk in engine.speak(line(engine, seed=9))]
                assert arrivals[0][0] == min(28, 7 * length)
                (expected,) = codec.decode([Piece(FRAMES[:length], 0, 0, length, 9)])
                np.testing.assert_allclose(np.concatenate([each for _, each in arrivals]), expected, rtol=0, atol=1e-5)

    run(check())


def test_every_frame_is_decoded_about_once_with_the_context_of_three() -> None:
    async def check() -> None:
        async with playing(Playback(ids_of(FRAMES * 10))) as engine:
            pieces: list[Piece] = []
            decode = engine._decoder._compute

            def noted(batch: Sequence[Piece]) -> Sequence[NDArray[np.float32]]:
                pieces.extend(batch)
                return decode(batch)

            engine._decoder._compute = noted
            await sound_of(engine, line(engine))
            assert sum(piece.count for piece in pieces) == 120
            assert [piece.count for piece in pieces[:6]] == [1, 2, 3, 4, 5, 7]
            for piece in pieces[2:-1]:
                assert (piece.first, len(piece.frames)) == (3, piece.count + 6)

    run(check())


def test_a_request_tells_the_backend_what_may_follow_and_what_ends_it() -> None:
    async def check() -> None:
        backend = Playback(ids_of(FRAMES))
        async with playing(backend) as engine:
            await sound_of(engine, line(engine, "Hi <Laugh> <resoplido> you."))
            (request,) = backend.requests
            assert request.prompt == engine._vocabulary.prompt("tara", "Hi <laugh> you.").ids
            assert [len(slot) for slot in request.allowed] == [4096] * 7
            assert all(token in request.allowed[at % 7] for at, token in enumerate(ids_of(FRAMES)))
            assert request.stop == {274, 278, 271}
            assert request.sampling == Sampling(0.6, 50, 0.8, 1.1, 4096, 0)

    run(check())


def test_usage_counts_prompts_and_answers_of_all_attempts() -> None:
    async def check() -> None:
        backend = Playback([5] * 30, [*ids_of(FRAMES), 5, 5])
        async with playing(backend) as engine:
            chunks = await chunks_of(engine, line(engine))
            assert sum(chunk.usage.input_tokens for chunk in chunks) == 2 * len(backend.requests[0].prompt)
            assert sum(chunk.usage.output_tokens for chunk in chunks) == 30 + 7 * len(FRAMES) + 2

    run(check())


def test_an_answer_of_strays_is_tried_again_with_other_seeds_and_then_given_up() -> None:
    async def check() -> None:
        backend = Playback(ids_of(FRAMES)[1:7] * 400)
        async with playing(backend, OrpheusSettings(retries=3)) as engine:
            with pytest.raises(EmptySpeech, match="no speech for this text in 4 attempts"):
                await sound_of(engine, line(engine))
            assert len({request.sampling.seed for request in backend.requests}) == 4
            assert len({request.id for request in backend.requests}) == 4
            assert backend.given == 4 * LONGEST_IDLE, "no attempt runs to the end of its tokens"
            assert backend.running == 0

    run(check())


def test_at_temperature_zero_there_is_no_second_attempt() -> None:
    async def check() -> None:
        backend = Playback([])
        async with playing(backend) as engine:
            with pytest.raises(EmptySpeech, match="in 1 attempt:"):
                await sound_of(engine, line(engine, temperature=0.0))
            assert len(backend.requests) == 1

    run(check())


def test_strays_after_speech_end_the_line() -> None:
    async def check() -> None:
        backend = Playback(ids_of(FRAMES[:6]) + [5] * 1000)
        async with playing(backend) as engine:
            assert len(await sound_of(engine, line(engine))) == 6 * FRAME
            assert backend.given == 42 + LONGEST_IDLE

    run(check())


def test_cloning_is_refused_with_a_reason() -> None:
    async def check() -> None:
        async with playing(Playback([])) as engine:
            with pytest.raises(NotSupported, match=r"cannot clone voices\. Use one of this model's own \(tara, leah"):
                await engine.encode_voice("new", tone_reference())
            async with Synthesizer(engine, Settings()) as synthesizer:
                with pytest.raises(NotSupported, match="cannot clone"):
                    await synthesizer.open(SpeechRequest("Hi.", voice=Reference(b"")))

    run(check())


def test_unknown_voices_and_pitches_are_refused_and_speed_is_made_by_stretching(tmp_path: Path) -> None:
    async def check() -> None:
        async with (
            playing(Playback(ids_of(FRAMES))) as engine,
            Synthesizer(engine, Settings(voice_dir=str(tmp_path))) as synthesizer,
        ):
            with pytest.raises(UnknownVoice, match=r"'pierre'.* tara, leah, jess, leo, dan, mia, zac, zoe"):
                await synthesizer.open(SpeechRequest("Hi.", voice="pierre"))
            with pytest.raises(NotSupported, match="pitch"):
                await synthesizer.open(SpeechRequest("Hi.", style=Style(pitch="high")))
            async with await synthesizer.open(SpeechRequest("Hi.", style=Style("moderate", 2.0)), whole=True) as stream:
                assert len((await stream.read()).samples) == pytest.approx(6 * FRAME, rel=0.05)

    run(check())


@pytest.mark.parametrize(
    ("lang", "voice", "text", "spoken"),
    [
        ("mandarin", "长乐", "一共3个。", "长乐: 一共三个。"),
        ("german", "jana", "Es sind 3 <laugh> Äpfel.", "jana: Es sind drei <laugh> Äpfel."),
        ("french", "pierre", "Il y en a 3.", "pierre: Il y en a trois."),
        ("spanish_italian", "giulia", "Sono 3 mele, ma non il pane.", "giulia: Sono tre mele, ma non il pane."),
        ("spanish_italian", "javi", "Son 3 y no más.", "javi: Son tres y no más."),
        ("hindi", "ऋतिका", "3 सेब <laugh> हैं", "ऋतिका: तीन सेब हैं"),
    ],
)
def test_text_is_written_out_in_the_language_of_the_model(lang: str, voice: str, text: str, spoken: str) -> None:
    async def check() -> None:
        backend = Playback(ids_of(FRAMES))
        async with playing(backend, lang=lang) as engine:
            async with (
                Synthesizer(engine, Settings()) as synthesizer,
                await synthesizer.open(SpeechRequest(text, voice=voice), whole=True) as stream,
            ):
                await stream.read()
            assert list(backend.requests[0].prompt[2:-4]) == engine._vocabulary.encode(spoken)

    run(check())


def test_a_model_names_its_languages_and_the_tags_of_its_voices() -> None:
    async def check() -> None:
        async with playing(Playback([]), lang="spanish_italian") as engine:
            assert engine.abilities.languages == ("es", "it")
            assert {name: voice.language for name, voice in engine.voices.items()}["giulia"] == "it"
            assert "<resoplido>" in engine.voices["javi"].description

    run(check())


def test_an_unknown_language_and_a_foreign_language_model_are_refused() -> None:
    async def check() -> None:
        with pytest.raises(ConfigError, match="klingon"):
            await open_on(Playback([]), lang="klingon")
        small = Playback([])
        small.vocab_size = 1000
        with pytest.raises(BadCheckpoint, match="has 1000 ids; its tokenizer names 28955"):
            await open_on(small)
        assert not small.alive, "the backend was closed again"

    run(check())


def test_a_truncated_language_model_is_named(checkpoint: Path) -> None:
    path = checkpoint / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100_000])

    async def check() -> None:
        with pytest.raises(BadCheckpoint, match=r"model\.safetensors"):
            await open_on_torch(checkpoint)

    run(check())


def test_warming_up_runs_the_model_and_survives_one_that_says_nothing() -> None:
    async def check() -> None:
        for script in (ids_of(FRAMES), []):
            backend = Playback(script)
            async with playing(backend) as engine:
                await engine.warm_up()
                assert backend.requests

    run(check())


def test_a_line_keeps_its_noise_over_retries() -> None:
    async def check() -> None:
        sounds = []
        for backend in (Playback(ids_of(FRAMES)), Playback([], ids_of(FRAMES))):
            async with playing(backend) as engine:
                sounds.append(await sound_of(engine, line(engine, seed=11)))
        np.testing.assert_array_equal(sounds[0], sounds[1])

    run(check())
