"""The command line as a user meets it: exit codes, one sentence for a mistake, no traceback, files that play."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flashtts_core.audio.decode import decode
from flashtts_core.audio.formats import FORMATS
from flashtts_core.cli.main import build, call
from flashtts_core.plugins import Plugins
from flashtts_core.testing import tone_reference

COMMAND = [sys.executable, "-m", "flashtts_core"]


def run(*arguments: str, stdin: str | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], input=stdin, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.mark.parametrize("format_", [*FORMATS])
def test_infer_writes_a_file_of_the_format_its_name_says(tmp_path: Path, format_: str) -> None:
    out = tmp_path / f"speech.{format_}"
    assert call(["infer", "-i", "A short sentence.", "-o", str(out)]) == 0
    if format_ == "pcm":
        assert out.stat().st_size > 24_000
    else:
        assert len(decode(out).samples) / decode(out).sample_rate > 0.8


def test_the_format_can_be_given_apart_from_the_name(tmp_path: Path) -> None:
    out = tmp_path / "speech.bin"
    assert call(["infer", "-i", "A short sentence.", "-o", str(out), "--response_format", "flac"]) == 0
    assert out.read_bytes().startswith(b"fLaC")


def test_infer_reads_a_file_or_standard_input(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("Words from a file.", encoding="utf-8")
    assert run("infer", "-i", "text.txt", "-o", "a.wav", cwd=tmp_path).returncode == 0
    assert run("infer", "-i", "-", "-o", "b.wav", stdin="Words from a file.", cwd=tmp_path).returncode == 0
    assert run("infer", "-i", "Words from a file.", "-o", "c.wav", cwd=tmp_path).returncode == 0
    assert len({(tmp_path / name).read_bytes() for name in ("a.wav", "b.wav", "c.wav")}) == 1


def test_standard_input_is_read_as_a_file_is_whatever_the_locale_says(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("Zo\u00eb \u2014 na\u00efve.", encoding="utf-8")
    assert run("infer", "-i", "text.txt", "-o", "a.wav", cwd=tmp_path).returncode == 0
    command = [*COMMAND, "infer", "-i", "-", "-o", str(tmp_path / "b.wav")]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    text = (tmp_path / "text.txt").read_bytes()
    assert subprocess.run(command, input=text, env=environment, capture_output=True, check=False).returncode == 0
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    done = subprocess.run(command, input="Zo\u00eb".encode("latin-1"), capture_output=True, check=False)
    assert (done.returncode, b"not a UTF-8 text" in done.stderr) == (1, True)


def test_the_mark_with_which_windows_editors_begin_a_file_is_no_text(tmp_path: Path) -> None:
    script = "\ufeff<role:heart>Good morning."
    (tmp_path / "script.txt").write_text(script, encoding="utf-8")
    done = run("infer", "--script", "-i", "script.txt", "-o", "a.wav", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = run("infer", "--script", "-i", "-", "-o", "b.wav", stdin=script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_seed_and_nothing_else_changes_the_sound(tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert call(["infer", "-i", "Once more.", "-o", str(tmp_path / f"{name}.wav"), "--seed", seed]) == 0
    a, b, c = ((tmp_path / f"{name}.wav").read_bytes() for name in "abc")
    assert a == b
    assert a != c


BAD_INPUT = [
    (["-i", ""], 1, "empty"),
    (["-i", " \n\t "], 1, "empty"),
    (["-i", "🎉🎉🎉"], 1, "emoji"),
    (["-i", "今天天气很好。"], 1, "reads: en"),
    (["-i", "nothere.txt"], 1, "There is no file nothere.txt"),
    (["-i", "word " * 20_000], 1, "--max_text_length"),
    (["-i", "hello", "--name", "nobody"], 1, "Known voices: heart"),
    (["-i", "hello", "--response_format", "ogg"], 2, "mp3, opus, aac, flac, wav, pcm"),
    (["-i", "hello", "--pitch", "high"], 1, "moderate"),
    (["-i", "hello", "--pitch", "shrill"], 2, "--pitch"),
    (["-i", "hello", "--top_p", "0"], 2, "--top_p"),
    (["-i", "hello", "--temperature", "hot"], 2, "--temperature"),
    (["-i", "hello", "--seed", "-1"], 2, "--seed"),
    (["-i", "hello", "--no_such_flag"], 2, "No such option"),
    (["-i", "hello", "--model_path", "/no/such/folder"], 2, "--model_path"),
    (["-i", "hello", "--config", "none.toml"], 2, "none.toml"),
    (["-i", "<role:heart>hello <role:nobody>hi", "--script"], 1, "nobody"),
    (["-i", "hello", "--reference_audio", "none.wav"], 2, "none.wav"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), BAD_INPUT)
def test_a_mistake_ends_with_one_sentence_and_leaves_an_old_file_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    out = tmp_path / "speech.wav"
    out.write_bytes(b"old")
    assert call(["infer", *arguments, "-o", str(out)]) == code
    error = capfd.readouterr().err
    assert words in error
    assert "Traceback" not in error
    assert out.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["-o", "."], 2, "is a folder"),
        (["-o", "none/a.wav"], 2, "There is no folder"),
        (["-o", "n" * 300 + ".wav"], 2, "cannot be written"),
        (["-o", "a.wav", "--reference_text", "words"], 1, "--reference_audio"),
    ],
)
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    done = run("infer", "-i", "Hello.", *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_standard_output_takes_the_speech(tmp_path: Path) -> None:
    command = [*COMMAND, "infer", "-i", "A short sentence.", "-o", "-", "--response_format", "flac"]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, check=True)
    assert done.stdout.startswith(b"fLaC")
    assert not list(tmp_path.iterdir())


def test_a_link_and_a_pipe_stay_what_they_are(tmp_path: Path) -> None:
    link, target, pipe = tmp_path / "link.wav", tmp_path / "target.wav", tmp_path / "pipe.pcm"
    link.symlink_to(target)
    assert call(["infer", "-i", "Hello.", "-o", str(link)]) == 0
    assert link.is_symlink()
    assert target.read_bytes().startswith(b"RIFF")
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        heard = reader.submit(pipe.read_bytes)
        assert call(["infer", "-i", "Hello.", "-o", str(pipe)]) == 0
        assert len(heard.result(30)) > 10_000
    assert pipe.is_fifo()


def test_role_tags_without_script_are_pointed_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    given = ["infer", "-i", "<role:heart>Hello.", "-o", str(tmp_path / "a.wav")]
    assert call(given) == 0
    assert "add --script" in capfd.readouterr().err
    assert call([*given, "--script"]) == 0
    assert "--script" not in capfd.readouterr().err


def test_without_standard_input_nothing_can_be_read_from_it(tmp_path: Path) -> None:
    line = f'exec "{sys.executable}" -m flashtts_core infer -i - -o a.wav <&-'
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "no standard input" in done.stderr


def test_without_standard_output_or_error_speech_goes_to_files_only(tmp_path: Path) -> None:
    for arguments, code in (("-o - >&-", 2), ("-o a.wav 2>&-", 0)):
        line = f'exec "{sys.executable}" -m flashtts_core infer -i Hi. {arguments}'
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == code
        assert ("no standard output" in done.stderr) is (code == 2)
    assert (tmp_path / "a.wav").stat().st_size > 1000


def test_a_role_folder_that_is_none_is_harmless_to_an_engine_that_cannot_clone(tmp_path: Path) -> None:
    done = run("infer", "-i", "Hello.", "-o", "a.wav", "--role_dir", "/no/such/folder", cwd=tmp_path)
    assert done.returncode == 0
    assert "--role_dir" in done.stderr


def test_a_checkpoint_that_no_engine_knows_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert call(["infer", "-i", "hello", "-o", str(tmp_path / "a.wav"), "-m", str(tmp_path)]) == 2
    assert "No installed engine knows" in capfd.readouterr().err


def test_cloning_with_the_embedded_voice_is_refused_with_the_reason(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path / "tone.wav"
    recording.write_bytes(tone_reference().audio)
    given = ["--reference_audio", str(recording), "--reference_text", "a tone"]
    assert call(["infer", "-i", "hello", "-o", str(tmp_path / "a.wav"), *given]) == 1
    assert call(["voices", "add", "anna", *given, "--voice_dir", str(tmp_path / "voices")]) == 1
    assert capfd.readouterr().err.count("cannot clone") == 2


def test_voices_are_listed_and_a_built_in_one_stays(capfd: pytest.CaptureFixture[str]) -> None:
    assert call(["voices", "list"]) == 0
    assert "heart (built in)" in capfd.readouterr().out
    assert call(["voices", "remove", "heart"]) == 1
    assert call(["voices", "remove", "nobody"]) == 1


def test_flags_of_other_models_only_warn(tmp_path: Path) -> None:
    result = run(
        *("infer", "-i", "hello", "-o", str(tmp_path / "a.wav"), "--snac-path", "x", "--torch_dtype", "float16"),
        *("--backend", "vllm", "--fix_voice"),
    )
    assert result.returncode == 0
    (warning,) = [line for line in result.stderr.splitlines() if "WARNING" in line]
    for flag in ("--snac_path", "--torch_dtype", "--backend", "--fix_voice"):
        assert flag in warning


def test_settings_come_from_a_file_and_from_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flashtts.toml").write_text("max_text_length = 5\n[plugin.hibari]\nworkers = 1\n")
    config = ["--config", str(tmp_path / "flashtts.toml")]
    out = str(tmp_path / "a.wav")
    assert call(["infer", "-i", "far too long", "-o", out, *config]) == 1
    monkeypatch.setenv("FLASHTTS_MAX_TEXT_LENGTH", "100")
    assert call(["infer", "-i", "far too long", "-o", out, *config]) == 0
    assert call(["infer", "-i", "far too long", "-o", out, *config, "--hibari_workers", "0"]) == 2


class Terminal:
    """A command that runs on a terminal of its own, so that it shows its progress."""

    def __init__(self, arguments: list[str]) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen([*COMMAND, *arguments], stderr=slave, stdout=slave)
        os.close(slave)
        self.shown = b""

    def read_until(self, words: bytes | None) -> None:
        """Read what is shown until ``words`` come (``None``: to the end)."""
        while words is None or words not in self.shown:
            try:
                piece = os.read(self._master, 4096)
            except OSError:  # the terminal closes with the process
                return
            if not piece:
                return
            self.shown += piece

    def wait(self) -> int:
        self.read_until(None)
        os.close(self._master)
        return self.process.wait(30)


def test_keys_of_a_settings_file_that_mean_nothing_are_named(tmp_path: Path) -> None:
    (tmp_path / "flashtts.toml").write_text("sead = 5\nseed = 5\n[plugin.hibary]\nworkers = 1\n")
    result = run("infer", "-i", "hello", "-o", "a.wav", "--config", "flashtts.toml", cwd=tmp_path)
    assert result.returncode == 0
    (warning,) = [line for line in result.stderr.splitlines() if "WARNING" in line]
    assert "[plugin.hibary], sead." in warning


def test_progress_is_shown_on_a_terminal_only(tmp_path: Path) -> None:
    arguments = ["infer", "-i", "Hello there.", "-o", str(tmp_path / "a.wav")]
    assert "real time" not in run(*arguments).stderr
    terminal = Terminal(arguments)
    assert terminal.wait() == 0
    assert b"times real time" in terminal.shown


def test_an_interrupt_ends_quietly_and_leaves_no_file(tmp_path: Path) -> None:
    text = "This sentence is one of very many. " * 500
    terminal = Terminal(["infer", "-i", text, "-o", str(tmp_path / "a.wav")])
    terminal.read_until(b"real time")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.wait() == 130
    assert b"Traceback" not in terminal.shown
    assert list(tmp_path.iterdir()) == []


def test_help_and_version_need_no_heavy_package() -> None:
    code = "import sys, flashtts_core.cli.main as m; m.call(['--help']); print(sorted(set(sys.modules) & HEAVY))"
    heavy = {"numpy", "av", "torch", "onnxruntime", "litestar", "hibari", "sentencex"}
    done = subprocess.run(
        [sys.executable, "-c", code.replace("HEAVY", repr(heavy))], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "infer" in done.stdout
    assert run("--version").stdout.startswith("flashtts")


def test_help_names_no_default_where_there_is_none(capfd: pytest.CaptureFixture[str]) -> None:
    assert call(["serve", "--help"]) == 0
    shown = capfd.readouterr().out
    assert "[default: 8000]" in shown
    assert "[default: ]" not in shown


def test_plugins_lists_the_embedded_voice() -> None:
    assert "hibari" in run("plugins").stdout


PROMISED = """
    model_path backend snac_path lang llm_tensorrt_path role_dir voice_dir llm_device tokenizer_device
    detokenizer_device wav2vec_attn_implementation llm_attn_implementation max_length llm_gpu_memory_utilization
    torch_dtype cache_implementation seed batch_size llm_batch_size wait_timeout fix_voice
""".split()  # noqa: SIM905  # a list of names reads better without quotes
SERVED = "api_key host port model_name ssl_keyfile ssl_certfile".split()  # noqa: SIM905  # see above


def test_every_promised_flag_is_taken_with_dashes_too() -> None:
    group = build(Plugins.discover())
    for command, names in (("infer", PROMISED), ("serve", PROMISED + SERVED)):
        found = {name for option in group.commands[command].params for name in option.opts}
        assert {f"--{name}" for name in names} <= found
        assert {"-m", "-b"} <= found
