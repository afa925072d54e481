"""Corpora that are read by their file names."""

import re

import pytest
import soundfile

from ser_core import corpus
from ser_core.corpus import file_names
from ser_core.errors import CorpusError

EXAMPLES = {  # of each corpus a name, and what it says
    "crema-d": ("1001_DFA_ANG_XX", {"speaker": "1001", "gender": "", "emotion": "angry", "intensity": "XX"}),
    "tess": ("OAF_back_ps", {"speaker": "OAF", "gender": "female", "emotion": "surprised", "text": "back"}),
    "savee": ("JK_sa03", {"speaker": "JK", "gender": "male", "emotion": "sad", "label": "sad_male", "text": "03"}),
    "emodb": ("03a01Fa", {"speaker": "03", "gender": "male", "emotion": "happy", "label": "happy_male", "text": "a01"}),
}


@pytest.fixture
def clips(tmp_path, spoken):
    for name in ("sub/03a01Fa.wav", "08b10Lc.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, spoken, 22_050)
    return tmp_path


@pytest.mark.parametrize("one", file_names.CORPORA, ids=lambda one: one.name)
def test_a_name_says_who_speaks_and_in_which_emotion(one):
    stem, said = EXAMPLES[one.name]
    row = one.row(stem)
    assert {name: row[name] for name in said} == said
    assert {"speaker", "emotion"} <= set(re.compile(one.pattern).groupindex)


def test_no_name_belongs_to_two_corpora():
    for name, (stem, _) in EXAMPLES.items():
        assert [one.name for one in file_names.CORPORA if re.fullmatch(one.pattern, stem)] == [name]


def test_a_folder_is_read_by_the_names_of_most_of_its_files(clips):
    table = corpus.index(clips).clips
    assert list(table["stem"]) == ["03a01Fa", "08b10Lc"]
    assert list(table["path"]) == ["sub/03a01Fa.wav", "08b10Lc.wav"]
    assert list(table["label"]) == ["happy_male", "boredom"]
    assert list(table["duration_s"]) == [3.0, 3.0]
    assert tuple(table.columns) == (*corpus.COLUMNS, "text", "version")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("hello.wav", b"x", "'hello' is not named as the clips of emodb are"),
        ("03a02Wb.wav", b"no sound", "cannot be read"),
        ("zz/08b10Lc.wav", b"x", "the same clip as 08b10Lc.wav"),
    ],
)
def test_what_is_wrong_is_left_out_with_its_reason(clips, name, content, reason):
    (clips / name).parent.mkdir(exist_ok=True)
    (clips / name).write_bytes(content)
    found = corpus.index(clips)
    assert len(found.clips) == 2
    (rejected,) = found.rejected
    assert rejected.file == name
    assert reason in rejected.reason


@pytest.mark.parametrize(
    ("one", "stem", "emotion"),
    [("crema-d", "1001_DFA_JOY_XX", "JOY"), ("tess", "OAF_back_bored", "bored"), ("savee", "DC_x01", "x")],
)
def test_a_code_that_is_not_known_stays_as_it_is(one, stem, emotion):
    named = next(corpus for corpus in file_names.CORPORA if corpus.name == one)
    assert named.row(stem)["emotion"] == emotion


@pytest.fixture
def crema_d(tmp_path, spoken):
    (tmp_path / "AudioWAV").mkdir()
    for stem in ("1001_DFA_ANG_XX", "1002_DFA_SAD_HI"):
        soundfile.write(tmp_path / "AudioWAV" / f"{stem}.wav", spoken, 22_050)
    return tmp_path / "AudioWAV"


@pytest.mark.parametrize("beside", [".", ".."])
def test_genders_come_from_the_file_of_speakers_beside_the_clips(crema_d, beside):
    head = "ActorID,Age,Sex,Race,Ethnicity"
    rows = "1001,51,Male,Caucasian,Not Hispanic", "1002,21,Female,Asian,Not Hispanic"
    (crema_d / beside / "VideoDemographics.csv").write_text("\n".join([head, *rows]))
    found = corpus.index(crema_d)
    assert found.clips["label"].tolist() == ["angry_male", "sad_female"]
    assert found.note == ""


def test_without_the_file_of_speakers_genders_are_unknown_and_it_is_named(crema_d, call):
    status, answer, _ = call("index", crema_d)
    assert status == 0
    assert corpus.index(crema_d).clips["label"].tolist() == ["angry", "sad"]
    (note,) = answer["notes"]
    assert "VideoDemographics.csv, which is missing" in note


def test_a_file_of_speakers_without_its_columns_is_named(crema_d):
    (crema_d / "VideoDemographics.csv").write_text("Actor,Gender\n1001,Male\n")
    assert "lacks the columns ActorID and Sex" in corpus.index(crema_d).note


def test_a_folder_without_any_clip_that_can_be_read_is_refused(tmp_path):
    (tmp_path / "03a01Fa.wav").touch()
    with pytest.raises(CorpusError, match=r"No clip of emodb.*an empty file"):
        corpus.index(tmp_path)


def test_the_command_lists_what_is_known_and_what_is_there(clips, crema_d, call):
    (clips / "sub").rename(clips / "emodb")
    (clips / "08b10Lc.wav").rename(clips / "emodb" / "08b10Lc.wav")
    status, answer, _ = call("corpora", clips, crema_d)
    assert status == 0
    assert [one["name"] for one in answer["known"]] == ["ravdess", "emodb", "crema-d", "tess", "savee"]
    assert answer["known"][1]["emotions"]["W"] == "angry"
    assert [(one["corpus"], one["files"]) for one in answer["there"]] == [("crema-d", 2), ("emodb", 2), ("crema-d", 2)]


def test_a_folder_in_folders_is_one_corpus(crema_d):
    assert corpus.known_in(crema_d.parent) == [(crema_d.parent, "crema-d", 2)]


def test_the_command_counts_by_emotion(clips, call):
    status, answer, _ = call("index", clips)
    assert status == 0
    assert (answer["corpus"], answer["speakers"], answer["emotions"]) == ("emodb", 2, {"boredom": 1, "happy": 1})
    assert "speech" not in answer
