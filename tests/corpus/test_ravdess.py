import re
import shutil

import pytest
import soundfile

from ser_core import audio, corpus
from ser_core.corpus import clips as indexed
from ser_core.corpus import ravdess, synthetic
from ser_core.errors import CorpusError
from ser_core.evaluation import protocols
from ser_core.features import tables
from tests.encoded import RATE, make


def test_a_name_says_everything_about_its_clip():
    clip = corpus.parse("03-02-06-02-01-02-12")
    assert clip == corpus.Clip("03-02-06-02-01-02-12", "song", "fearful", "strong", 1, 2, "12", "female")
    assert (clip.label, clip.corpus, clip.language) == ("fearful_female", "ravdess", "en")


@pytest.mark.parametrize(
    ("stem", "said"),
    [
        ("hello", "seven two-digit fields"),
        ("03-01-05-01-02-01", "seven two-digit fields"),
        ("03-01-5-01-02-01-12", "seven two-digit fields"),
        ("03-01-٠5-01-02-01-12", "seven two-digit fields"),
        ("01-01-05-01-02-01-12", "modality is 01"),
        ("03-03-05-01-02-01-12", "channel is 03"),
        ("03-01-09-01-02-01-12", "emotion is 09"),
        ("03-01-05-03-02-01-12", "intensity is 03"),
        ("03-01-05-01-03-01-12", "statement is 03"),
        ("03-01-05-01-02-00-12", "repetition is 00"),
        ("03-01-05-01-02-01-25", "actor is 25"),
        ("03-01-01-02-02-01-12", "no strong neutral"),
        ("03-02-07-01-02-01-12", "no sung disgust"),
    ],
)
def test_a_wrong_name_is_refused_with_its_reason(stem, said):
    with pytest.raises(CorpusError, match=said):
        corpus.parse(stem)


def test_an_index_has_a_row_for_each_clip_by_speaker_and_stem(voices):
    clips = corpus.index(voices).clips
    assert tuple(clips.columns) == (*corpus.COLUMNS, "channel", "intensity", "statement", "repetition")
    assert (set(clips["corpus"]), set(clips["language"])) == ({"ravdess"}, {"en"})
    assert sorted(set(clips["speaker"])) == ["01", "02", "03", "04"]
    assert len(clips) == 64
    assert list(clips["stem"]) == sorted(clips["stem"], key=lambda stem: (stem[-2:], stem))
    assert (clips["duration_s"] == 1.2).all()
    assert set(clips["label"]) == {"angry_female", "angry_male", "sad_female", "sad_male"}
    assert (voices / clips["path"][0]).is_file()


def test_any_layout_and_suffix_is_found(tmp_path, spoken):
    for name in ("03-01-05-01-01-01-01.wav", "deep/er/03-01-04-01-01-01-02.flac", "03-01-04-01-01-01-03.OGG"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / name, spoken, 22_050, format=name[-3:] if name[-3:] != "lac" else "FLAC")
    assert list(corpus.index(tmp_path).clips["speaker"]) == ["01", "02", "03"]


def test_what_is_wrong_is_left_out_with_its_reason(voices, tmp_path):
    folder = tmp_path / "clips"
    shutil.copytree(voices, folder)
    one = next(folder.glob("Actor_01/*.wav"))
    shutil.copy(one, folder / "Actor_01" / "my holiday.wav")
    shutil.copy(one, folder / one.name)
    shutil.copy(one, folder / "Actor_02" / "03-01-08-01-01-01-01.wav")
    (folder / "Actor_03" / "03-01-08-01-01-01-03.wav").touch()
    (folder / "Actor_03" / "03-01-08-02-01-01-03.wav").write_bytes(b"this is not sound" * 20)
    soundfile.write(folder / "Actor_03" / "03-01-07-02-01-01-03.wav", [], 22_050)
    (folder / "Actor_03" / ".03-01-08-01-02-02-03.wav").touch()
    (folder / "notes.txt").write_text("not a clip, and no sound either")
    found = corpus.index(folder)
    assert len(found.clips) == 64
    reasons = {item.file: item.reason for item in found.rejected}
    assert len(reasons) == 6
    assert "seven two-digit fields" in reasons["Actor_01/my holiday.wav"]
    # Paths in order: the copy beside the folders comes before or after, but exactly one of the two is left out.
    (duplicate,) = [reason for reason in reasons.values() if "the same clip as" in reason]
    assert one.name in duplicate
    assert "folder actor 2" in reasons["Actor_02/03-01-08-01-01-01-01.wav"]
    assert reasons["Actor_03/03-01-08-01-01-01-03.wav"] == "an empty file"
    assert "cannot be read" in reasons["Actor_03/03-01-08-02-01-01-03.wav"]
    assert "holds 0 samples" in reasons["Actor_03/03-01-07-02-01-01-03.wav"]
    assert {item.file for item in found.rejected if item.broken} == {file for file in reasons if "Actor_03" in file}


def test_a_header_that_does_not_say_how_long_a_clip_is_is_not_believed(tmp_path, spoken):
    file = tmp_path / "03-01-05-01-01-01-01.wav"
    soundfile.write(file, spoken, 22_050)
    content = bytearray(file.read_bytes())
    size = content.index(b"data") + 4
    content[size : size + 4] = bytes(4)  # as programs write that stream to a pipe
    file.write_bytes(content)
    found = corpus.index(tmp_path)
    assert found.clips["duration_s"][0] == pytest.approx(3.0)


def test_a_folder_with_an_odd_number_is_no_actors(tmp_path, spoken):
    (tmp_path / "Actor_²").mkdir()
    soundfile.write(tmp_path / "Actor_²" / "03-01-05-01-01-01-01.wav", spoken, 22_050)
    assert len(corpus.index(tmp_path).clips) == 1


def test_a_folder_without_a_clip_says_what_was_looked_for_and_how_to_get_it(tmp_path):
    (tmp_path / "song.wav").touch()
    with pytest.raises(CorpusError, match=r"03-01-05.*song\.wav.*zenodo\.org/records/1188976.*SER_DATA_DIR"):
        corpus.index(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"no folder .*nowhere.*SER_DATA_DIR"):
        corpus.index(tmp_path / "nowhere")


def test_the_synthetic_voice_writes_names_that_the_index_reads(tmp_path):
    paths = synthetic.write_corpus(tmp_path, actors=(7,), emotions=("happy",), seconds=0.5)
    found = corpus.index(tmp_path)
    assert len(found.clips) == len(paths)
    assert not found.rejected


def test_the_official_clips_are_those_that_ravdess_has(settings):
    shipped = tables.read(settings.feature_table)
    assert [clip.stem for clip in corpus.official_clips()] == list(shipped["stem"])


def test_coverage_says_by_actor_what_is_there_and_what_is_missing(voices):
    coverage = corpus.coverage(corpus.index(voices).clips)
    assert coverage[["speech_of", "song_of"]].sum().to_list() == [1440, 1012]
    first, eighteenth = coverage.iloc[0], coverage.iloc[17]
    assert (first["speaker"], first["gender"], first["speech"], first["song"]) == ("01", "male", 16, 0)
    assert first["missing"] == 60 + 44 - 16
    assert (eighteenth["song_of"], eighteenth["missing"]) == (0, 60)


def test_without_any_clip_all_are_missing():
    assert corpus.coverage(corpus.look_through("nowhere").clips)["missing"].sum() == 2452


def test_the_stamp_of_a_folder_changes_with_its_files(tmp_path):
    inner = tmp_path / "Actor_01"
    inner.mkdir()
    empty = corpus.stamp(tmp_path)
    assert corpus.stamp(tmp_path / "none") == empty
    (inner / "03-01-05-01-02-01-01.wav").touch()
    begun = corpus.stamp(tmp_path)
    assert begun != empty
    (inner / "03-01-05-01-02-01-01.wav").write_bytes(b"more of it")  # the folder itself is not changed by that
    whole = corpus.stamp(tmp_path)
    assert whole != begun
    (tmp_path / ".download").mkdir()
    (tmp_path / ".download" / "x.wav").touch()
    assert corpus.stamp(tmp_path) == whole  # what is in the making is not looked at


def test_a_folder_that_goes_away_while_it_is_looked_at_does_no_harm(tmp_path, monkeypatch):
    gone = tmp_path / "03-01-05-01-02-01-01.wav"
    monkeypatch.setattr(indexed, "sound_files", lambda folder: [gone])
    assert corpus.stamp(tmp_path)


def test_a_clip_in_words():
    clip = corpus.parse("03-02-06-02-01-02-12")
    assert corpus.title(clip) == "Fearful (strong) song by actor 12, female"
    assert corpus.said("statement", 2) == "Dogs are sitting by the door"
    assert corpus.said("speaker", "03") == "Actor 3"
    assert corpus.said("emotion", "sad") == "Sad"


def test_the_numbers_of_a_name():
    assert ravdess.numbers("03-02-06-02-01-02-12") == (3, 2, 6, 2, 1, 2, 12)


# ---- One way of reading


@pytest.mark.parametrize("kind", ["m4a", "webm", "opus", "amr", "aac", "g726", "mp3", "zeros"])
@pytest.mark.parametrize("suffix", [".wav", ".m4a", ".MP3"])
def test_a_clip_is_read_by_its_content_as_everywhere(tmp_path, kind, suffix):
    rate = 8_000 if kind in ("amr", "g726") else RATE
    content = bytes(500) + make("mp3") if kind == "zeros" else make(kind, rate=rate)
    path = tmp_path / f"03-01-05-01-01-01-01{suffix}"
    path.write_bytes(content)
    found = corpus.index(tmp_path)
    assert not found.rejected
    heard = audio.load(path).duration_s
    assert found.clips["duration_s"][0] == pytest.approx(heard, abs=0.1)  # as the header states it, or as it is decoded
    extracted = tables.extract(found, tmp_path / "workspace", jobs=1)
    assert (len(extracted.table), extracted.rejected) == (1, ())


def test_the_field_recording_under_a_ravdess_name_is_read_by_all(field, tmp_path):
    shutil.copy(field / "03-01-05-01-01-01-01.wav", tmp_path)
    found = corpus.index(tmp_path)
    assert found.clips["duration_s"][0] == pytest.approx(audio.load(found.folder / found.clips["path"][0]).duration_s)
    assert len(tables.extract(found, tmp_path / "workspace", jobs=1).table) == 1


@pytest.mark.parametrize("format", ["AIFF", "W64"])
def test_what_is_not_read_elsewhere_is_left_out_here(tmp_path, spoken, format):
    for actor, kind in ((1, "WAV"), (2, format)):
        soundfile.write(tmp_path / f"03-01-05-01-01-01-{actor:02d}.wav", spoken, 22_050, format=kind)
    (rejected,) = corpus.index(tmp_path).rejected
    assert rejected.broken and "cannot be read: This is not a sound file of a known format" in rejected.reason


def test_videos_of_the_same_sentences_are_no_clips(tmp_path, spoken):
    soundfile.write(tmp_path / "03-01-05-01-01-01-01.wav", spoken, 22_050)
    (tmp_path / "01-01-05-01-01-01-01.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    assert not corpus.index(tmp_path).rejected


# ---- No folder of clips


def test_a_folder_with_nothing_but_an_archive_says_to_unpack_it(tmp_path):
    (tmp_path / "Audio_Speech_Actors_01-24.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(CorpusError, match=r"has no sound file, but the archive Audio_Speech.*\.zip\. Unpack it there"):
        corpus.index(tmp_path)


def test_an_archive_beside_clips_does_not_matter(tmp_path, spoken):
    (tmp_path / "backup.zip").write_bytes(b"PK\x03\x04")
    soundfile.write(tmp_path / "03-01-05-01-01-01-01.wav", spoken, 22_050)
    assert len(corpus.index(tmp_path).clips) == 1
    assert corpus.obstacle(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("03-01-05-01-01-01-01.wav", "is a file, and a folder of clips is wanted. Name the folder that it is in"),
        ("Audio_Speech_Actors_01-24.zip", "is an archive. Unpack it into a folder, and name that"),
        ("notes", "is a file, and a folder of clips is wanted"),
    ],
)
def test_a_file_in_place_of_a_folder_is_told_with_the_way_out(tmp_path, name, way_out):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(CorpusError, match=re.escape(f"{tmp_path / name} {way_out}")):
        corpus.index(tmp_path / name)


def test_clips_that_only_another_corpus_has_are_added_and_found(voices, tmp_path):
    own = ravdess.look_through(voices)
    stem = next(iter(own.files))
    other = tmp_path / "other"
    synthetic.write_corpus(other, actors=[1, 7], emotions=["angry", "sad"], seconds=1.2)
    both = own.joined(ravdess.look_through(other))
    assert both.file(stem) == own.file(stem)
    more = [clip for clip in both.files if clip.endswith("-07")]
    assert len(both.clips) == len(own.clips) + len(more)
    assert both.file(more[0]).is_relative_to(other.absolute())
    assert len(own.joined(ravdess.look_through(tmp_path / "nothing")).clips) == len(own.clips)
    assert len(ravdess.look_through(tmp_path / "nothing").joined(own).clips) == len(own.clips)


def test_the_clips_that_ship_are_of_the_test_part_and_half_of_women(settings):
    found = ravdess.look_through(settings.clips)
    assert not found.rejected
    assert set(found.clips["stem"].map(protocols.original_parts())) == {"test"}
    assert found.clips["emotion"].value_counts().min() >= 4
    assert found.clips.groupby("gender")["speaker"].nunique().tolist() == [3, 3]
    assert {"speech", "song"} == set(found.clips["channel"])
    assert sum(file.stat().st_size for file in settings.clips.iterdir()) < 12e6
    assert "CC BY-NC-SA 4.0" in (settings.clips / "LICENSE").read_text()
