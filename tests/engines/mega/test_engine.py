"""The engine on the torch backend with the golden checkpoint: the contract, voices, pace, seams, options."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from engines.mega import golden
from engines.mega.serving import settings_of
from flashtts_core.audio.join import join
from flashtts_core.engines.mega.codec.wavvae import HOP
from flashtts_core.engines.mega.diffusing import Sketch
from flashtts_core.engines.mega.durations import Manner
from flashtts_core.engines.mega.engine import MegaEngine
from flashtts_core.engines.mega.model.loading import Networks
from flashtts_core.engines.mega.phones import Phones
from flashtts_core.engines.mega.speakers import SPEAKERS_KEPT, Speakers, codes_of, of_codes
from flashtts_core.engines.mega.speaking import Pacer, Written
from flashtts_core.errors import EmptySpeech, NotSupported, RequestError, UnknownVoice
from flashtts_core.host import open_synthesizer
from flashtts_core.planner import divide
from flashtts_core.synthesizer import Synthesizer
from flashtts_core.testing.conformance import EngineContract, run
from flashtts_core.types import Diffusion, Line, Reference, Sampling, SpeechRequest, SplitLimits, Style, Voice

REFERENCE = Reference(golden.RECORDING, None, golden.LATENT)
OVERLAP = 3840
LONG = "Good day. Hello there, this is a test. And here comes the second sentence. A third one ends it."
SPLIT = SplitLimits(length_threshold=20, window_size=30)


@asynccontextmanager
async def synthesizing(tmp_path: Path, **changes: Any) -> AsyncIterator[tuple[Synthesizer, MegaEngine]]:
    async with await open_synthesizer(settings_of(tmp_path, **changes)) as synthesizer:
        assert isinstance(synthesizer.engine, MegaEngine)
        yield synthesizer, synthesizer.engine


async def say(synthesizer: Synthesizer, request: SpeechRequest) -> NDArray[np.float32]:
    async with await synthesizer.open(request, whole=True) as stream:
        return (await stream.read()).samples


class TestMega(EngineContract):
    text = "Good day."
    reference = REFERENCE

    async def open_engine(self) -> MegaEngine:
        engine = (await open_synthesizer(settings_of(Path("unused")))).engine
        assert isinstance(engine, MegaEngine)
        return engine


class TestMegaInBatches(TestMega):
    async def open_engine(self) -> MegaEngine:
        engine = (await open_synthesizer(settings_of(Path("unused"), batch_size=4))).engine
        assert isinstance(engine, MegaEngine)
        return engine


def lines_of(voice: Voice, texts: list[str], engine: MegaEngine, seed: int = 5) -> list[Line]:
    sampling = msgspec.structs.replace(engine.defaults, seed=seed)
    last = len(texts) - 1
    return [
        Line("r", index, text, "en", voice, Style(), sampling, opens=index == 0, closes=index == last)
        for index, text in enumerate(texts)
    ]


def test_a_long_text_is_its_lines_faded_into_each_other_streamed_or_whole(tmp_path: Path) -> None:
    async def check() -> None:
        async with synthesizing(tmp_path) as (synthesizer, engine):
            request = SpeechRequest(LONG, REFERENCE, sampling=Sampling(seed=5), limits=SPLIT)
            async with await synthesizer.open(request) as stream:
                pieces = [chunk.samples async for chunk in await stream.start()]
            streamed = np.concatenate(pieces)
            np.testing.assert_array_equal(await say(synthesizer, request), streamed)
            voice = await engine.encode_voice("", REFERENCE)
            texts = list(divide(LONG, engine, SPLIT).pieces)
            assert len(texts) > 2
            assert texts[0] == "Good day."
            spoken = [[chunk async for chunk in engine.speak(line)] for line in lines_of(voice, texts, engine)]
            assert {len(chunks) for chunks in spoken} == {1}
            parts = [chunks[0].samples for chunks in spoken]
            np.testing.assert_allclose(streamed, join(parts, OVERLAP), rtol=0, atol=1e-6)
            assert len(streamed) == sum(map(len, parts)) - (len(parts) - 1) * OVERLAP

    run(check())


def test_the_first_line_is_heard_while_the_second_is_made(tmp_path: Path) -> None:
    async def check() -> None:
        async with synthesizing(tmp_path) as (synthesizer, engine):
            inner, heard, asked = engine._instruments, asyncio.Event(), set()

            async def draw(sketch: Sketch) -> Tensor:
                asked.add(sketch.index)
                if sketch.index > 0:
                    await heard.wait()
                return await inner.draw(sketch)

            engine._instruments = msgspec.structs.replace(inner, draw=draw)
            async with await synthesizer.open(SpeechRequest(LONG, REFERENCE, limits=SPLIT)) as stream:
                await asyncio.wait_for(stream.start(), 120)
                while len(asked) < 3:
                    await asyncio.sleep(0)  # two more are on their way before anybody has heard the first
                heard.set()
                assert [chunk async for chunk in stream]

    run(check())


def test_turns_of_a_dialogue_do_not_fade_into_each_other(tmp_path: Path) -> None:
    async def check() -> None:
        async with synthesizing(tmp_path) as (synthesizer, engine):
            await synthesizer.voices.add("anna", REFERENCE)
            voice = await engine.encode_voice("anna", REFERENCE)
            script = SpeechRequest("<role:anna>Good day.<role:anna,speed:high>Hello.", script=True)
            whole = await say(synthesizer, script)
            sampling = msgspec.structs.replace(engine.defaults, seed=0)
            first, second = (
                Line("r", 0, "Good day.", "en", voice, Style(), sampling),
                Line("r", 1, "Hello.", "en", voice, Style(speed=1.2), sampling),
            )
            parts = [chunk.samples for line in (first, second) async for chunk in engine.speak(line)]
            np.testing.assert_array_equal(whole, np.concatenate(parts))

    run(check())


def test_the_seed_the_steps_and_the_weights_change_the_sound(tmp_path: Path) -> None:
    async def check() -> None:
        async with synthesizing(tmp_path) as (synthesizer, _):
            usual = SpeechRequest("Good day.", REFERENCE, sampling=Sampling(seed=1))

            async def with_(**fields: Any) -> NDArray[np.float32]:
                return await say(synthesizer, msgspec.structs.replace(usual, **fields))

            first = await with_()
            same = (
                await with_(),
                await with_(diffusion=Diffusion(time_step=2)),
                await with_(diffusion=Diffusion(p_w=1.6, t_w=2.5)),
            )
            for again in same:
                np.testing.assert_array_equal(first, again)
            others = (
                await with_(sampling=Sampling(seed=2)),
                await with_(diffusion=Diffusion(time_step=3)),
                await with_(diffusion=Diffusion(p_w=1.0)),
                await with_(diffusion=Diffusion(t_w=1.0)),
            )
            for other in others:
                assert len(other) != len(first) or not np.allclose(first, other, atol=1e-3)

    run(check())


def test_speed_paces_the_phones_and_stretches_beyond(tmp_path: Path) -> None:
    even = {"mega": {"time_step": 1, "dur_disturb": 0.0}}

    async def check() -> None:
        async with synthesizing(tmp_path, plugin=even) as (synthesizer, _):

            async def length(speed: Any) -> int:
                return len(await say(synthesizer, SpeechRequest("你好，世界。", REFERENCE, Style(speed=speed))))

            usual = await length(None)
            assert usual == await length("moderate") == await length(1.0)
            assert usual % HOP == 0
            slow, slowest = await length("low"), await length(0.5)
            assert usual < slow < slowest
            assert slow == await length(0.85)
            assert (slow % HOP, slowest % HOP) == (0, 0), "whole latents: the phones themselves are longer"
            assert await length(0.25) == 2 * slowest
            fast = await length(2.0)
            assert fast <= usual
            assert await length(4.0) == pytest.approx(fast / 2, abs=1)

    run(check())


def test_a_pitch_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    async def check() -> None:
        async with synthesizing(tmp_path) as (synthesizer, _):
            await say(synthesizer, SpeechRequest("Good day.", REFERENCE, Style(pitch="moderate")))
            with pytest.raises(NotSupported, match="pitch"):
                await synthesizer.open(SpeechRequest("Good day.", REFERENCE, Style(pitch="high")))

    run(check())


def test_without_any_voice_a_request_is_told_how_to_get_one(tmp_path: Path) -> None:
    async def check() -> None:
        async with synthesizing(tmp_path) as (synthesizer, _):
            assert await synthesizer.voices.names() == []
            with pytest.raises(UnknownVoice, match=r"no voice of its own.*add_speaker"):
                await synthesizer.open(SpeechRequest("Good day."))
            await synthesizer.voices.add("anna", REFERENCE)
            spoken = await say(synthesizer, SpeechRequest("Good day."))
            np.testing.assert_array_equal(spoken, await say(synthesizer, SpeechRequest("Good day.", "anna")))
            await synthesizer.warm_up()

    run(check())


def test_the_usual_role_folder_is_read_if_none_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    role = tmp_path / "data" / "mega-roles" / "narrator"
    role.mkdir(parents=True)
    (role / "voice.wav").write_bytes(golden.RECORDING)
    (role / "voice.npy").write_bytes(golden.LATENT)
    (tmp_path / "data" / "mega-roles" / "mute").mkdir()
    (tmp_path / "data" / "mega-roles" / "mute" / "voice.wav").write_bytes(golden.RECORDING)
    monkeypatch.chdir(tmp_path)

    async def check() -> None:
        async with synthesizing(tmp_path / "voices") as (synthesizer, _):
            assert await synthesizer.voices.names() == ["mute", "narrator"]
            narrated = await say(synthesizer, SpeechRequest("Good day.", "narrator"))
            np.testing.assert_array_equal(narrated, await say(synthesizer, SpeechRequest("Good day.", REFERENCE)))
            with pytest.raises(NotSupported, match=r"'mute' has a recording and no latent.*role folder"):
                await synthesizer.open(SpeechRequest("Good day.", "mute"))

    run(check())


def test_fields_of_diffusion_are_named_where_they_mean_nothing(tmp_path: Path) -> None:
    async def check() -> None:
        fields = Diffusion(time_step=4, p_w=1.0)
        request = SpeechRequest("Good day.", REFERENCE, diffusion=fields)
        async with synthesizing(tmp_path) as (mega, _), await mega.open(request) as stream:
            assert stream.ignored == ()
        request = SpeechRequest("Good day.", diffusion=fields)
        settings = settings_of(tmp_path, model_path=None, plugin={})
        async with await open_synthesizer(settings) as other, await other.open(request) as stream:
            assert stream.ignored == ("time_step", "p_w")

    run(check())


def test_a_line_that_would_take_minutes_is_refused_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flashtts_core.engines.mega.speaking.MOST_SECONDS", 1)

    async def check() -> None:
        request = SpeechRequest("Good day.", REFERENCE)
        async with synthesizing(tmp_path) as (synthesizer, _), await synthesizer.open(request) as stream:
            with pytest.raises(RequestError, match="Lower window_size"):
                await stream.start()

    run(check())


def test_an_answer_without_phones_is_no_speech(tmp_path: Path) -> None:
    async def check() -> None:
        async with synthesizing(tmp_path) as (synthesizer, engine):
            vocabulary = engine._instruments.vocabulary
            vocabulary.stop = frozenset(range(vocabulary.first, vocabulary.first + 802))
            async with await synthesizer.open(SpeechRequest("Good day.", REFERENCE)) as stream:
                with pytest.raises(EmptySpeech, match="no phones"):
                    await stream.start()

    run(check())


@pytest.fixture(scope="module")
def voice() -> Voice:
    async def make() -> Voice:
        engine = await TestMega().open_engine()
        try:
            return await engine.encode_voice("anna", REFERENCE)
        finally:
            await engine.aclose()

    made: Voice = run(make())
    return made


def test_a_voice_survives_what_is_kept_of_it(voice: Voice) -> None:
    aligned, latent, level = of_codes(voice)
    again = codes_of(aligned, latent, level)
    for name, kept in voice.codes.items():
        np.testing.assert_array_equal(again[name], kept)
    assert sum(array.nbytes for array in voice.codes.values()) < 10_000


def test_speakers_are_made_once_and_the_oldest_are_forgotten(networks: Networks, voice: Voice) -> None:
    speakers = Speakers(networks.duration, 32, networks.plan.speaking)
    first = speakers.get(voice)
    assert speakers.get(msgspec.structs.replace(voice, name="other", codes=dict(voice.codes))) is first
    for number in range(SPEAKERS_KEPT):
        louder = {**voice.codes, "loudness": np.array([-10.0 - number])}
        speakers.get(msgspec.structs.replace(voice, codes=louder))
    assert speakers.get(voice) is not first


def test_a_voice_of_another_model_is_refused(networks: Networks, voice: Voice) -> None:
    speakers = Speakers(networks.duration, 32, networks.plan.speaking)
    wider = {**voice.codes, "latent": np.zeros((64, 48), np.float32)}
    with pytest.raises(RequestError, match="made with another model"):
        speakers.get(msgspec.structs.replace(voice, codes=wider))


def test_lengths_depend_on_the_seed_and_not_on_what_was_paced_before(networks: Networks, voice: Voice) -> None:
    pacer = Pacer(networks.duration, Speakers(networks.duration, 32, networks.plan.speaking), networks.plan.speaking)
    spoken = Phones((145, 55, 28, 163, 68, 40, 148), (3, 12, 12, 3, 13, 13, 3))
    one, other = (Written(voice, spoken, Manner(), 0.5, seed) for seed in (1, 2))
    (alone,) = pacer.pace([one])
    after_another = pacer.pace([other, one])
    assert after_another[1].frames == alone.frames
    assert after_another[0].frames != alone.frames
