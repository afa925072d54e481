import errno
import io
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_core import audio
from ser_core.cli import main
from ser_core.cli import predict as cli_predict
from ser_core.corpus import synthetic
from ser_core.corpus.labels import EMOTION_NAMES, LABELS


def test_predict_with_the_shipped_model(call, tmp_path):
    clip = tmp_path / "voice.wav"
    clip.write_bytes(synthetic.wav("angry", actor=1))
    status, answer, _ = call("predict", clip)
    assert status == 0
    (prediction,) = answer["predictions"]
    assert list(prediction) == [
        "file", "verdict", "reason", "possible", "label", "emotion", "gender", "probability", "emotion_probability",
        "probabilities", "warnings", "answer", "turns",
    ]  # fmt: skip
    assert prediction["file"] == str(clip)
    assert tuple(prediction["probabilities"]) == LABELS
    assert prediction["label"] == max(LABELS, key=prediction["probabilities"].get)
    assert prediction["emotion"] in EMOTION_NAMES and prediction["gender"] in ("female", "male")
    assert answer["errors"] == []


def test_a_manifest_among_the_files_is_heard_clip_by_clip_beside_what_they_are(call, tmp_path):
    for name in ("one.wav", "two.wav"):
        (tmp_path / name).write_bytes(synthetic.wav("angry", actor=1))
    (tmp_path / "mine.csv").write_text("file,speaker,emotion\ntwo.wav,Ada,bored\nnone.wav,Ada,sad\n")
    one, two, lost = tmp_path / "one.wav", tmp_path / "two.wav", tmp_path / "lost.csv"
    status, answer, said = call("predict", one, tmp_path / "mine.csv", lost, "--model", "krr")
    assert status == 2
    assert [item["file"] for item in answer["predictions"]] == [str(one), str(two)]
    assert [item.get("truth") for item in answer["predictions"]] == [None, "bored"]
    first, second = answer["errors"]
    assert first == {"file": "none.wav", "error": "line 3: there is no such file"}
    assert second["file"] == str(lost) and "cannot be read" in second["error"]
    assert len(said.strip().splitlines()) == 2


def test_of_a_tone_no_emotion_is_named(call, tmp_path, capsys):
    clip = tmp_path / "tone.wav"
    soundfile.write(clip, 0.3 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 22_050), 22_050)
    status, answer, _ = call("predict", clip, "--model", "krr")
    (prediction,) = answer["predictions"]
    assert (status, prediction["verdict"], prediction["emotion"]) == (0, "no_voice", None)
    assert main(["predict", str(clip), "--model", "krr"]) == 0
    assert "no voice" in capsys.readouterr().out


@pytest.fixture
def long(tmp_path):
    """A recording of two turns, longer than any training clip."""
    file, pause = tmp_path / "=long.wav", np.zeros(22_050)
    voices = (synthetic.speak(emotion, actor=2, seconds=3) for emotion in ("angry", "sad"))
    soundfile.write(file, np.concatenate([part for voice in voices for part in (voice, pause)]), 22_050)
    return file


def test_json_of_a_long_recording_holds_its_turns(call, long):
    status, answer, _ = call("predict", long, "--model", "krr")
    (prediction,) = answer["predictions"]
    assert (status, prediction["verdict"], prediction["emotion"]) == (0, "turns", None)
    assert prediction["answer"].startswith("2 turns, 5 s of speech: ")
    first, second = prediction["turns"]
    assert list(first) == ["start_s", "end_s", "verdict", "answer", "emotion", "gender", "probabilities"]
    assert sum(first["probabilities"].values()) == pytest.approx(1)
    assert first["end_s"] < second["start_s"]


def test_csv_has_a_row_a_file_or_a_row_a_turn(tmp_path, long, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short.wav").write_bytes(synthetic.wav("sad", actor=1))
    tables = []
    for more in ([], ["--turns"]):
        assert main(["predict", long.name, "short.wav", "--model", "krr", "--format", "csv", *more]) == 0
        tables.append(pd.read_csv(io.StringIO(capsys.readouterr().out)))
    whole, by_turn = tables
    assert whole["file"].tolist() == ["'=long.wav", "short.wav"]
    assert "probabilities.angry_female" in whole and "turns" not in whole
    assert by_turn["file"].tolist() == ["'=long.wav", "'=long.wav", "short.wav"]
    assert by_turn["turn"].tolist() == [1, 2, 1]
    assert by_turn["start_s"].isna().tolist() == [False, False, True]
    probabilities = by_turn[[f"probabilities.{name}" for name in EMOTION_NAMES]]
    assert probabilities.sum(axis=1).tolist() == pytest.approx([1, 1, 1])


def test_turns_are_a_table_of_their_own(tmp_path, long, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["predict", long.name, "--model", "krr", "--turns"]) == 0
    shown = capsys.readouterr().out
    assert "from (s)" in shown and shown.count("=long") == 2


def test_a_format_that_is_none_is_one_clear_line(call, long):
    status, _, said = call("predict", long, "--format", "xlsx")
    assert status == 2 and "There is no format 'xlsx'; there is table, csv" in said


def test_one_bad_file_is_named_the_others_are_answered_and_the_exit_is_2(call, tmp_path):
    good, bad = tmp_path / "good.wav", tmp_path / "bad.wav"
    good.write_bytes(synthetic.wav("angry", actor=1))
    bad.write_bytes(b"not sound at all")
    status, answer, said = call("predict", bad, good, tmp_path / "none.wav")
    assert status == 2
    assert [item["file"] for item in answer["predictions"]] == [str(good)]
    assert [item["file"] for item in answer["errors"]] == [str(bad), str(tmp_path / "none.wav")]
    assert "bad.wav" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("model", ["best", "cnn2d"])
def test_networks_predict_without_tensorflow(call, tmp_path, monkeypatch, model):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    clip = tmp_path / "clip.wav"
    clip.write_bytes(synthetic.wav("sad", actor=1))
    status, answer, _ = call("predict", clip, "--model", model)
    assert status == 0
    assert sum(answer["predictions"][0]["probabilities"].values()) == pytest.approx(1)


@pytest.fixture
def clips(tmp_path) -> list:
    files = [tmp_path / "a<b>.wav", tmp_path / "two.wav"]
    for file in files:
        file.write_bytes(synthetic.wav("angry", actor=1, seconds=1.2))
    return files


def test_a_report_is_written_beside_the_answer(call, clips, tmp_path):
    out = tmp_path / "out.html"
    status, answer, said = call("predict", *clips, "--model", "krr", "--report", out)
    assert status == 0 and len(answer["predictions"]) == 2
    assert said == f"Report on 2 recordings: {out}\n"
    html = out.read_text()
    assert html.count("a&lt;b&gt;.wav") == 2 and "a<b>" not in html  # in the table, and on its page
    assert str(tmp_path) not in html
    assert sorted(file.name for file in tmp_path.glob("*.html*")) == ["out.html"]


def test_a_report_leaves_out_what_cannot_be_heard(call, clips, tmp_path):
    out = tmp_path / "out.html"
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    status, _, said = call("predict", bad, clips[1], "--model", "krr", "--report", out)
    assert status == 2 and f"Report on 1 recording: {out}" in said
    assert "two.wav" in out.read_text() and "bad.wav" not in out.read_text()


def test_without_any_recording_heard_no_report_is_written(call, tmp_path):
    out = tmp_path / "out.html"
    status, _, said = call("predict", tmp_path / "none.wav", "--model", "krr", "--report", out)
    assert status == 2 and "No report was written" in said and not out.exists()


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        (".", "is a folder: name a file"),
        ("nowhere/out.html", "there is no folder"),
        ("two.wav", "a report is an HTML file"),
        ("a" * 300 + ".html", "cannot be written (File name too long)"),
    ],
)
def test_a_report_that_cannot_be_written_there_is_one_line_and_exit_2(call, clips, tmp_path, place, complaint):
    before = clips[1].read_bytes()
    status, answer, said = call("predict", clips[0], "--model", "krr", "--report", tmp_path / place)
    assert (status, answer) == (2, None)
    assert complaint in said and len(said.strip().splitlines()) == 1
    assert clips[1].read_bytes() == before


def test_a_read_only_installation_writes_no_report(call, clips, tmp_path, monkeypatch):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    status, _, said = call("predict", clips[0], "--model", "krr", "--report", tmp_path / "out.html")
    assert status == 2 and "read-only" in said and not (tmp_path / "out.html").exists()
    assert call("predict", clips[0], "--model", "krr")[0] == 0


@pytest.fixture
def of_one(tmp_path) -> list:
    files = []
    for emotion in ("angry", "sad", "neutral"):
        files.append(tmp_path / f"{emotion}.wav")
        files[-1].write_bytes(synthetic.wav(emotion, actor=3, seconds=1.5))
    return files


def test_all_files_may_be_one_persons_and_each_is_decoded_once(call, of_one, long, monkeypatch):
    _, alone, _ = call("predict", *of_one, long, "--model", "robust")
    decoded = []
    load = audio.load
    monkeypatch.setattr(audio, "load", lambda file, **how: decoded.append(file) or load(file, **how))
    status, answer, _ = call("predict", *of_one, long, "--model", "robust", "--one-speaker")
    assert (status, answer["speaker"]) == (0, "all:4")
    assert decoded == [*of_one, long]
    assert [item["file"] for item in answer["predictions"]] == [str(file) for file in decoded]
    assert len(answer["predictions"][-1]["turns"]) == 2
    for plain, known in zip(alone["predictions"], answer["predictions"], strict=True):
        assert plain["probabilities"] != known["probabilities"]


def test_what_is_one_persons_is_the_same_from_memory_and_from_a_file(call, of_one, monkeypatch):
    in_memory = call("predict", *of_one, "--model", "robust", "--one-speaker")
    monkeypatch.setattr(cli_predict, "IN_MEMORY_BYTES", 1)
    assert call("predict", *of_one, "--model", "robust", "--one-speaker") == in_memory


def test_of_one_persons_files_bad_ones_are_named_once(call, of_one, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    status, answer, said = call("predict", bad, *of_one, "--model", "robust", "--one-speaker")
    assert (status, answer["speaker"], len(answer["predictions"])) == (2, "all:3", 3)
    assert said.count("bad.wav") == 1 and len(answer["errors"]) == 1
    status, answer, said = call("predict", bad, "--model", "robust", "--one-speaker")
    assert (status, answer["predictions"], len(answer["errors"])) == (2, [], 1) and "speaker" not in answer


def test_a_full_disk_is_one_clear_line(call, of_one, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cli_predict.np, "save", full)
    status, answer, said = call("predict", *of_one, "--model", "robust", "--one-speaker")
    assert (status, answer) == (2, None) and "has no room for the decoded recordings (No space left" in said


def test_neutral_recordings_of_the_speaker_are_heard_before(call, of_one, tmp_path):
    *others, neutral = of_one
    _, alone, _ = call("predict", *others, "--model", "robust")
    out = tmp_path / "out.html"
    status, answer, _ = call("predict", *others, "--model", "robust", "--speaker-neutral", neutral, "--report", out)
    assert "the model had heard 1 calm recording of this person before" in out.read_text()
    assert (status, answer["speaker"], len(answer["predictions"])) == (0, "neutral:1", 2)
    assert answer["predictions"][0]["probabilities"] != alone["predictions"][0]["probabilities"]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (
            ["--model", "krr", "--one-speaker"],
            "krr takes no clips of a speaker beforehand: choose v_centred or v_robust",
        ),
        (["--speaker-neutral", "none.wav"], "none.wav"),
        (["--one-speaker", "--speaker-neutral", "none.wav"], "give one of them"),
    ],
)
def test_a_speaker_who_cannot_be_known_is_one_clear_line(call, of_one, more, complaint):
    status, answer, said = call("predict", *of_one, "--model", "robust", *more)
    assert (status, answer) == (2, None)
    assert complaint in said and len(said.strip().splitlines()) == 1
