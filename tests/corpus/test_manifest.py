import shutil

import numpy as np
import pytest
import soundfile

from ser_core import corpus
from ser_core.corpus import manifest
from ser_core.errors import CorpusError

RATE = 16_000


@pytest.fixture
def folder(tmp_path):
    """Three clips of half a second to name in a manifest."""
    for name in ("wav/a.flac", "wav/b.flac", "wav/c.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, 0.1 * np.sin(np.arange(RATE // 2)), RATE)
    return tmp_path


def written(folder, *lines: str, head: str = "file,speaker,emotion", **options):
    file = folder / "mine.csv"
    file.write_text("\n".join((head, *lines)) + "\n", **options)
    return file


def read(folder, *lines: str, **options) -> corpus.Corpus:
    return corpus.index(written(folder, *lines, **options))


A, B, C = "wav/a.flac,anna,angry", "wav/b.flac,ben,boredom", "wav/c.wav,anna,sad"


def test_each_row_is_a_clip_by_speaker_and_then_stem(folder):
    found = read(folder, B, C, A)
    assert found.rejected == ()
    assert tuple(found.clips.columns) == corpus.COLUMNS
    assert found.clips["stem"].tolist() == ["a", "c", "b"]
    assert found.clips["speaker"].tolist() == ["anna", "anna", "ben"]
    assert found.clips["emotion"].tolist() == ["angry", "sad", "boredom"]
    assert (found.clips["duration_s"] == 0.5).all()
    assert set(found.clips["corpus"]) == {"mine"}
    assert found.file("c") == folder / "wav" / "c.wav"


def test_what_is_not_known_is_empty_text(folder):
    (clip,) = read(folder, A).clips.to_dict("records")
    assert (clip["gender"], clip["language"], clip["label"]) == ("", "", "angry")


def test_every_text_column_is_text(folder):
    clips = read(folder, "wav/a.flac,01,sad,1", "wav/b.flac,02,sad,", head="file,speaker,emotion,age").clips
    assert clips["speaker"].tolist() == ["01", "02"]
    assert clips["age"].tolist() == ["1", ""]
    assert {str(dtype) for dtype in clips.drop(columns="duration_s").dtypes} == {"str"}


def test_a_class_is_an_emotion_and_a_gender_where_both_are_known(folder):
    head = "file,speaker,emotion,gender,language,corpus"
    rows = "wav/a.flac,1,Angry,F,de,emodb", "wav/b.flac,2,Boredom,Male,de,", "wav/c.wav,3,sad,diverse,,"
    clips = read(folder, *rows, head=head).clips
    assert clips["label"].tolist() == ["angry_female", "Boredom", "sad"]
    assert clips["gender"].tolist() == ["female", "male", "diverse"]
    assert clips["language"].tolist() == ["de", "de", ""]
    assert clips["corpus"].tolist() == ["emodb", "mine", "mine"]


@pytest.mark.parametrize(
    ("word", "emotion"),
    [("Anger", "angry"), ("fear", "fearful"), ("happiness", "happy"), ("SADNESS", "sad"), ("surprise", "surprised")],
)
def test_emotions_are_named_as_in_the_common_vocabulary(folder, word, emotion):
    assert read(folder, f"wav/a.flac,1,{word}").clips["emotion"].tolist() == [emotion]


def test_further_columns_come_last_as_they_are_named(folder):
    clips = read(folder, "7,wav/a.flac,1,sad,hallo", head="Take,file,speaker,emotion,text").clips
    assert list(clips.columns) == [*corpus.COLUMNS, "take", "text"]
    assert clips.loc[0, ["take", "text"]].tolist() == ["7", "hallo"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_spreadsheets_write_is_read(folder, encoding, separator, newline):
    rows = (line.replace(",", separator) for line in ("wav/a.flac,Jörg,sad", " wav/b.flac , Jörg , happy "))
    head = "File,Speaker,Emotion".replace(",", separator)
    clips = read(folder, *rows, head=head, encoding=encoding, newline=newline).clips
    assert clips[["speaker", "emotion"]].to_numpy().tolist() == [["Jörg", "sad"], ["Jörg", "happy"]]


def test_quoted_cells_may_hold_separators_and_line_breaks(folder):
    clips = read(folder, 'wav/a.flac,"Doe, Jane",sad,"one\ntwo"', head="file,speaker,emotion,note").clips
    assert clips.loc[0, ["speaker", "note"]].tolist() == ["Doe, Jane", "one\ntwo"]


def test_paths_may_be_absolute_or_lead_out_of_the_manifests_folder(folder):
    inner = folder / "lists"
    inner.mkdir()
    found = read(inner, "../wav/a.flac,1,sad", f"{folder / 'wav' / 'b.flac'},2,sad")
    assert found.clips["stem"].tolist() == ["a", "b"]
    assert found.file("a") == folder / "wav" / "a.flac"


def test_stems_keep_the_folders_in_which_the_clips_differ(folder):
    shutil.copytree(folder / "wav", folder / "more" / "wav")
    found = read(folder, "wav/a.flac,1,sad", "more/wav/a.flac,2,sad")
    assert found.clips["stem"].tolist() == ["wav/a", "more/wav/a"]
    assert found.file("more/wav/a") == folder / "more" / "wav" / "a.flac"


def only_rejected(found: corpus.Corpus) -> tuple[str, str]:
    (rejected,) = found.rejected
    assert len(found.clips) == 2
    return rejected.file, rejected.reason


@pytest.mark.parametrize(
    ("row", "file", "reason"),
    [
        ("wav/none.wav,ben,sad", "wav/none.wav", "line 3: there is no such file"),
        ("wav,ben,sad", "wav", "line 3: there is no such file"),
        (",ben,sad", "mine.csv", "line 3: file is empty"),
        ("wav/b.flac, ,sad", "wav/b.flac", "line 3: speaker is empty"),
        ("wav/b.flac,ben,", "wav/b.flac", "line 3: emotion is empty"),
        ("wav/b.flac,ben,NaN", "wav/b.flac", "line 3: emotion is NaN"),
        ("wav/b.flac,nan,sad", "wav/b.flac", "line 3: speaker is nan"),
        ("wav/b.flac,ben", "wav/b.flac", "line 3: there are 2 cells, and the header has 3"),
        ("wav/b.flac,ben,sad,more", "wav/b.flac", "line 3: there are 4 cells, and the header has 3"),
        ('wav/b.flac,"ben"x,sad', "mine.csv", "line 3: a quotation mark is out of place"),
        ("wav/a.flac,ben,sad", "wav/a.flac", "line 3: the same clip as in line 2"),
        ("./wav/../wav/a.flac,ben,sad", "./wav/../wav/a.flac", "line 3: the same clip as in line 2"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_the_others_are_kept(folder, row, file, reason):
    assert only_rejected(read(folder, A, row, C)) == (file, reason)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "line 3: an empty file"), (b"no sound at all" * 20, "line 3: cannot be read: This is not a sound file")],
)
def test_a_bad_file_is_named_by_its_line_and_the_others_are_kept(folder, content, reason):
    (folder / "wav" / "bad.wav").write_bytes(content)
    file, said = only_rejected(read(folder, A, "wav/bad.wav,ben,sad", C))
    assert file == "wav/bad.wav"
    assert said.startswith(reason)


def test_a_clip_that_is_there_in_two_formats_is_one(folder):
    soundfile.write(folder / "wav" / "a.wav", np.zeros(100), RATE)
    assert only_rejected(read(folder, A, "wav/a.wav,anna,angry", C))[1] == "line 3: the same clip as in line 2"


def test_lines_are_counted_as_an_editor_counts_them(folder):
    found = read(folder, "", 'wav/a.flac,"an\nna",sad', "", "wav/none.wav,b,sad", head="\nfile,speaker,emotion")
    assert [item.reason for item in found.rejected] == ["line 7: there is no such file"]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("file,emotion", "lacks the columns speaker; it has file, emotion"),
        ("path,who,mood", "lacks the columns file, speaker, emotion; it has path, who, mood"),
        ("", "lacks the columns file, speaker, emotion; it has wav/a.flac, anna, angry"),
        ("file,speaker,emotion,Speaker", "has the column 'speaker' twice"),
        ("file,speaker,emotion,label", "has a column 'label' that cannot be used"),
        ("file,speaker,emotion,", "has a column '' that cannot be used: it has no name"),
    ],
)
def test_a_header_that_cannot_be_used_says_why(folder, head, said):
    with pytest.raises(CorpusError, match=said):
        read(folder, A, head=head)


def test_an_empty_manifest_lacks_its_columns(folder):
    (folder / "mine.csv").touch()
    with pytest.raises(CorpusError, match="lacks the columns file, speaker, emotion; it has none"):
        corpus.index(folder / "mine.csv")


def test_a_manifest_without_any_row_says_so(folder):
    with pytest.raises(CorpusError, match=r"No clip of .*mine\.csv can be used, since it has no rows"):
        read(folder)


def test_a_manifest_without_a_usable_row_names_the_first(folder):
    with pytest.raises(CorpusError, match="can be used, of 2 rows, the first: line 2: there is no such file"):
        read(folder, "x.wav,a,sad", "y.wav,b,sad")


def test_a_manifest_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"The manifest .*none\.csv cannot be read \(No such file"):
        corpus.index(tmp_path / "none.csv")


def test_other_encodings_are_refused(folder):
    with pytest.raises(CorpusError, match=r"mine\.csv is not UTF-8 .*Save it as CSV in UTF-8"):
        read(folder, "wav/a.flac,Jörg,sad", encoding="latin-1")


def test_a_quotation_that_is_not_closed_hides_no_rows_in_silence(folder):
    with pytest.raises(CorpusError, match=r"mine\.csv, line 3: .*Correct its quotation marks"):
        read(folder, A, 'wav/b.flac,"ben,sad', C)


def test_a_folder_is_ravdess_whatever_its_name(tmp_path):
    (tmp_path / "x.csv").mkdir()
    assert not corpus.is_manifest(tmp_path / "x.csv")
    assert corpus.is_manifest("MINE.CSV")
    with pytest.raises(CorpusError, match="No RAVDESS clip"):
        corpus.index(tmp_path / "x.csv")


def test_an_index_is_written_as_a_manifest_edited_and_read_again(folder, tmp_path):
    first = read(
        folder,
        "wav/a.flac,1,sad,male,de,one",
        "wav/b.flac,2,Boredom,,,two",
        head="file,speaker,emotion,gender,language,corpus",
    ).clips
    manifest.write([corpus.index(folder / "mine.csv")], folder / "again.csv")
    again = corpus.index(folder / "again.csv").clips
    assert again.equals(first)
    text = (folder / "again.csv").read_text()
    assert "wav/a.flac" in text  # relative, so that the folder can be moved
    (folder / "again.csv").write_text(text.replace("Boredom", "calm"))
    assert corpus.index(folder / "again.csv").clips["emotion"].tolist() == ["sad", "calm"]


def test_corpora_are_joined_in_one_manifest_with_all_their_columns(folder, voices, tmp_path, call):
    read(folder, "wav/a.flac,1,sad,hello", head="file,speaker,emotion,text")
    status, answer, _ = call("index", folder / "mine.csv", voices, "--out", tmp_path / "both.csv")
    assert status == 0
    assert (answer["clips"], answer["corpus"], answer["speakers"]) == (65, "mine, ravdess", 5)
    clips = corpus.index(tmp_path / "both.csv").clips
    assert set(clips["corpus"]) == {"mine", "ravdess"}
    assert clips.loc[clips["corpus"] == "mine", ["text", "statement"]].iloc[0].tolist() == ["hello", ""]
    assert set(clips.loc[clips["corpus"] == "ravdess", "statement"]) == {"1", "2"}


def test_several_corpora_are_joined_only_into_a_named_manifest(folder, voices, call):
    read(folder, "wav/a.flac,1,sad", head="file,speaker,emotion")
    status, _, said = call("index", folder / "mine.csv", voices)
    assert status == 2
    assert "--out F.csv" in said


def test_a_manifest_that_cannot_be_written_is_named(folder, voices):
    with pytest.raises(CorpusError, match=r"cannot be written .* Choose another place"):
        manifest.write([corpus.index(voices)], folder / "wav" / "a.flac" / "mine.csv")
