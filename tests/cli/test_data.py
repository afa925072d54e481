import pandas as pd
import pytest

from ser_core.cli import main
from ser_core.corpus import synthetic
from ser_core.features import mean180


def test_index(call, voices):
    status, answer, _ = call("index", voices)
    assert status == 0
    counted = {"clips": 64, "speech": 64, "song": 0, "actors": 4, "corpus": "ravdess", "speakers": 4}
    assert answer == counted | {"emotions": {"angry": 32, "sad": 32}, "rejected": []}


def test_index_of_a_manifest_counts_what_there_is_and_names_each_bad_row(call, tmp_path):
    (tmp_path / "a.wav").write_bytes(synthetic.wav("angry", actor=1, seconds=0.5))
    (tmp_path / "mine.csv").write_text("file;speaker;emotion\na.wav;Ada;bored\nb.wav;Bo;sad\n")
    status, answer, _ = call("index", tmp_path / "mine.csv")
    assert status == 0
    counted = {"clips": 1, "actors": 1, "corpus": "mine", "speakers": 1, "emotions": {"bored": 1}}
    assert answer == counted | {"rejected": [{"file": "b.wav", "reason": "line 3: there is no such file"}]}


def test_index_shows_a_manifest_to_people(tmp_path, capsys):
    (tmp_path / "a.wav").write_bytes(synthetic.wav("angry", actor=1, seconds=0.5))
    (tmp_path / "mine.csv").write_text("file,speaker,emotion\na.wav,Ada,bored\n")
    assert main(["index", str(tmp_path / "mine.csv")]) == 0
    assert capsys.readouterr().out.strip() == "1 clips (1 bored) of 1 speaker of mine"


def test_index_lists_what_it_leaves_out(call, tmp_path):
    synthetic.write_corpus(tmp_path, actors=(1,), emotions=("sad",), seconds=0.5)
    (tmp_path / "cough.wav").touch()
    status, answer, _ = call("index", tmp_path)
    assert status == 0
    (rejected,) = answer["rejected"]
    assert rejected["file"] == "cough.wav"
    assert "seven two-digit fields" in rejected["reason"]


def test_an_empty_folder_is_one_clear_line_and_exit_2(call, tmp_path):
    status, answer, said = call("index", tmp_path)
    assert (status, answer) == (2, None)
    assert said.startswith("Error: No RAVDESS clip in")
    assert len(said.strip().splitlines()) == 1


def test_extract(call, voices, tmp_path):
    out = tmp_path / "made" / "F.parquet"
    status, answer, _ = call("extract", voices, "--out", out, "--jobs", 1)
    assert status == 0
    assert answer.pop("seconds") > 0
    assert answer == {"clips": 64, "features": 180, "extracted": 64, "reused": 0, "rejected": []}
    table = pd.read_parquet(out)
    assert list(table.columns[-180:]) == list(mean180.NAMES)
    again = call("extract", voices, "--out", out, "--jobs", 1)[1]
    assert (again["extracted"], again["reused"]) == (0, 64)


def test_a_damaged_file_of_features_is_not_taken_for_the_name_of_a_set(call, voices, tmp_path):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    options = ("--features", tmp_path / "broken.parquet", "--out", tmp_path / "F.parquet")
    status, _, error = call("extract", voices, *options)
    assert status == 2 and "broken.parquet is neither CSV in UTF-8 nor Parquet" in error


def test_a_folder_that_is_not_there_is_told_beside_those_that_are(call, voices, tmp_path):
    status, answer, error = call("corpora", tmp_path / "gone", voices)
    assert status == 0 and answer["there"]
    assert error == f"There is no folder {tmp_path / 'gone'}. Check the path\n"


def test_a_corpus_is_registered_for_the_pages(call, elsewhere, own_workspace):
    status, answer, _ = call("index", elsewhere, "--name", "mine")
    assert status == 0
    assert answer["out"] == str(own_workspace / "corpora" / "mine.csv")
    assert call("extract", answer["out"], "--name", "mine", "--jobs", 1)[0] == 0
    (one,) = call("corpora")[1]["registered"]
    assert (one["name"], one["manifest"]) == ("mine", answer["out"])
    assert one["table"] == str(own_workspace / "corpora" / "mine.parquet")


def test_what_is_no_file_of_a_corpus_is_named_beside_those_that_are(call, elsewhere, own_workspace):
    assert call("index", elsewhere, "--name", "mine")[0] == 0
    (own_workspace / "corpora" / "theirs.csv").mkdir()
    (own_workspace / "corpora" / "loop.parquet").symlink_to("loop.parquet")
    status, answer, error = call("corpora")
    assert status == 0
    assert [one["name"] for one in answer["registered"]] == ["mine"]
    assert [one["entry"] for one in answer["unreadable"]] == ["loop.parquet", "theirs.csv"]
    loop, folder = error.splitlines()
    assert "Corpus loop.parquet cannot be read: it leads to no file" in loop and "Move it out" in loop
    assert "Corpus theirs.csv cannot be read: it is a folder" in folder


def test_a_public_display_registers_no_corpus(call, elsewhere, monkeypatch):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    status, _, error = call("index", elsewhere, "--name", "mine")
    assert status == 2
    assert "No registration of a corpus here" in error


def test_a_corpus_is_registered_under_a_name_and_no_path(call, elsewhere):
    status, _, error = call("index", elsewhere, "--name", "../mine")
    assert status == 2
    assert "cannot be the name of a corpus" in error


def test_features_need_a_place(capsys, elsewhere):
    with pytest.raises(SystemExit):
        main(["extract", str(elsewhere)])
    assert "--out --name" in capsys.readouterr().err
