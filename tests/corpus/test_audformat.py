"""Databases in audformat, read as plain CSV."""

import pytest
import soundfile

from ser_core import corpus
from ser_core.errors import CorpusError


@pytest.fixture
def database(tmp_path, spoken):
    """As audb publishes EMO-DB: emotions, speakers of files, and what is known of speakers, in three tables."""
    (tmp_path / "wav").mkdir()
    for stem in ("03a01Fa", "08a01Lb"):
        soundfile.write(tmp_path / "wav" / f"{stem}.wav", spoken, 22_050)
    (tmp_path / "db.yaml").write_text("name: emodb\ndescription: |\n  name: another\n")
    (tmp_path / "db.emotion.csv").write_text(
        "file,emotion,emotion.confidence\nwav/03a01Fa.wav,happiness,0.9\nwav/08a01Lb.wav,boredom,1.0\n"
    )
    (tmp_path / "db.emotion.test.csv").write_text("file,emotion\nwav/03a01Fa.wav,happiness\n")
    (tmp_path / "db.files.csv").write_text(
        "file,duration,speaker\nwav/03a01Fa.wav,0 days 00:00:03,3\nwav/08a01Lb.wav,0 days 00:00:03,8\n"
    )
    (tmp_path / "db.speaker.csv").write_text("speaker,age,gender,language\n3,31,male,deu\n8,34,female,deu\n")
    return tmp_path


def test_the_tables_of_a_database_are_one_index(database):
    clips = corpus.index(database).clips
    assert clips["stem"].tolist() == ["03a01Fa", "08a01Lb"]
    assert clips[["corpus", "speaker", "gender", "language", "emotion", "label"]].to_numpy().tolist() == [
        ["emodb", "3", "male", "deu", "happy", "happy_male"],
        ["emodb", "8", "female", "deu", "boredom", "boredom"],
    ]
    assert clips["age"].tolist() == ["31", "34"]
    assert clips["duration_s"].tolist() == [3.0, 3.0]


def test_a_part_of_a_file_is_left_out_and_a_whole_one_is_not(database):
    (database / "db.emotion.csv").write_text(
        "file,start,end,emotion\n"
        "wav/03a01Fa.wav,0 days 00:00:00,,happiness\n"
        "wav/08a01Lb.wav,0 days 00:00:01,0 days 00:00:02,boredom\n"
    )
    found = corpus.index(database)
    assert found.clips["stem"].tolist() == ["03a01Fa"]
    (rejected,) = found.rejected
    assert "line 3: wav/08a01Lb.wav from 0 days 00:00:01 to 0 days 00:00:02 is a part of a file" in rejected.reason


def test_a_missing_file_is_left_out_with_its_reason(database):
    (database / "wav" / "03a01Fa.wav").unlink()
    found = corpus.index(database)
    assert found.clips["stem"].tolist() == ["08a01Lb"]
    assert [(one.file, one.reason) for one in found.rejected] == [("wav/03a01Fa.wav", "line 2: there is no such file")]


def test_tables_that_are_not_csv_are_asked_for(database):
    for file in database.glob("db.emotion*.csv"):
        file.unlink()
    with pytest.raises(CorpusError, match=r"no table db\.\*\.csv with the columns file and emotion"):
        corpus.index(database)


def test_a_database_that_does_not_say_who_speaks_lacks_that_column(database):
    (database / "db.files.csv").unlink()
    with pytest.raises(CorpusError, match="lacks the columns speaker"):
        corpus.index(database)


def test_a_table_that_cannot_be_read_is_named(database):
    (database / "db.files.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(CorpusError, match=r"db\.files\.csv cannot be read"):
        corpus.index(database)


@pytest.mark.parametrize(("head", "twice"), [("speaker,age,age,gender", "age"), ("speaker,Age,age,gender", "age")])
def test_a_table_with_two_columns_of_one_name_is_named_with_that(database, head, twice):
    (database / "db.speaker.csv").write_text(f"{head}\n3,31,32,male\n8,34,35,female\n")
    with pytest.raises(CorpusError, match=rf"db\.speaker\.csv has the column '{twice}' twice"):
        corpus.index(database)
