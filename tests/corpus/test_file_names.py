"""Corpora that are read by their file names."""

import re

import pytest
import soundfile

from ser_core import corpus
from ser_core.corpus import file_names
from ser_core.errors import CorpusError

EXAMPLES = {  # of each corpus a name, and what it says
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


def test_a_folder_without_any_clip_that_can_be_read_is_refused(tmp_path):
    (tmp_path / "03a01Fa.wav").touch()
    with pytest.raises(CorpusError, match=r"No clip of emodb.*an empty file"):
        corpus.index(tmp_path)


def test_the_command_counts_by_emotion(clips, call):
    status, answer, _ = call("index", clips)
    assert status == 0
    assert (answer["corpus"], answer["speakers"], answer["emotions"]) == ("emodb", 2, {"boredom": 1, "happy": 1})
    assert "speech" not in answer
