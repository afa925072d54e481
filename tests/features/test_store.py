import dataclasses
import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import joblib
import numpy as np
import pytest
import soundfile

from ser_core import audio, corpus
from ser_core.corpus import synthetic
from ser_core.errors import FeatureError
from ser_core.features import mean180, registry, store, tables


@pytest.fixture
def folder(voices, tmp_path):
    shutil.copytree(voices, tmp_path / "clips")
    return tmp_path / "clips"


def extract(folder, workspace, **options):
    return tables.extract(corpus.index(folder), workspace, jobs=1, **options)


def test_a_table_holds_the_index_and_the_features_in_the_indexs_order(folder, own_workspace):
    found = corpus.index(folder)
    made = tables.extract(found, own_workspace, jobs=1)
    assert list(made.table.columns) == [*found.clips.columns, *mean180.NAMES]
    assert list(made.table["stem"]) == list(found.clips["stem"])
    assert (made.extracted, made.reused) == (64, 0)
    row = made.table.iloc[17]
    expected = mean180.extract(audio.load(folder / row["path"]).samples)
    np.testing.assert_array_equal(row[list(mean180.NAMES)].to_numpy(dtype=np.float32), expected)


def test_an_unchanged_clip_is_not_read_again(folder, own_workspace, monkeypatch):
    first = extract(folder, own_workspace)
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda path: pytest.fail(f"{path} was read"))
    monkeypatch.setattr(audio, "load", lambda *_, **__: pytest.fail("a clip was decoded"))
    again = extract(folder, own_workspace)
    assert (again.extracted, again.reused) == (0, 64)
    assert again.table.equals(first.table)


def test_a_changed_clip_is_extracted_again(folder, own_workspace):
    first = extract(folder, own_workspace).table
    changed = first["path"][5]
    soundfile.write(folder / changed, synthetic.speak("happy", actor=9), 22_050)
    again = extract(folder, own_workspace)
    assert (again.extracted, again.reused) == (1, 63)
    same = (again.table[list(mean180.NAMES)] == first[list(mean180.NAMES)]).all(axis=1)
    assert list(np.flatnonzero(~same)) == [5]


def test_a_clip_that_was_only_touched_or_moved_is_known_by_its_content(folder, own_workspace):
    extract(folder, own_workspace)
    clip = next(folder.glob("Actor_01/*.wav"))
    os.utime(clip, (time.time() + 5, time.time() + 5))
    (folder / "Actor_02").rename(folder / "somewhere else")
    again = extract(folder, own_workspace)
    assert (again.extracted, again.reused) == (0, 64)


def test_features_never_stand_under_another_clips_digest(folder, own_workspace, monkeypatch):
    """A clip that is replaced while it is extracted, and then put back."""
    clip = sorted(folder.glob("Actor_01/*.wav"))[0]
    first, read = clip.read_bytes(), Path.read_bytes

    def replaced_after_reading(path):
        content = read(path)
        if path == clip:
            clip.write_bytes(synthetic.wav("happy", actor=9))
        return content

    monkeypatch.setattr(Path, "read_bytes", replaced_after_reading)
    extract(folder, own_workspace)
    monkeypatch.undo()
    clip.write_bytes(first)
    again = extract(folder, own_workspace).table.iloc[0]
    expected = mean180.extract(audio.load(first).samples)
    np.testing.assert_array_equal(again[list(mean180.NAMES)].to_numpy(dtype=np.float32), expected)


def test_a_column_of_the_corpus_that_is_called_like_a_feature_is_named(folder, own_workspace):
    found = corpus.index(folder)
    taken = corpus.Corpus(folder, found.clips.assign(mel_003="loud"), ())
    with pytest.raises(FeatureError, match="The corpus has a column 'mel_003', which is the name of a feature"):
        tables.extract(taken, own_workspace, jobs=1)


def test_two_extractions_at_once_share_the_cache(folder, own_workspace):
    made = joblib.Parallel(n_jobs=2, backend="threading")(
        joblib.delayed(extract)(folder, own_workspace) for _ in range(2)
    )
    assert made[0].table.equals(made[1].table)
    assert extract(folder, own_workspace).reused == 64


def test_a_damaged_cache_is_named(folder, own_workspace):
    cache = own_workspace / "cache" / "features.sqlite"
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"no database" * 1000)
    with pytest.raises(FeatureError, match=r"features\.sqlite cannot be used .*Delete it"):
        extract(folder, own_workspace)


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00v\x00{'descr': (}" + bytes(100), 3])
def test_damaged_features_in_the_cache_are_named(folder, own_workspace, content):
    extract(folder, own_workspace)
    with closing(sqlite3.connect(own_workspace / "cache" / "features.sqlite")) as cache, cache:
        cache.execute("UPDATE arrays SET content = ? WHERE rowid = 7", (content,))
    with pytest.raises(FeatureError, match=r"features\.sqlite holds features that cannot be read .*Delete it"):
        extract(folder, own_workspace)


@pytest.mark.parametrize("kind", ["folder", "loop", "another database"])
def test_what_is_no_cache_is_named(folder, own_workspace, kind):
    cache = own_workspace / "cache" / "features.sqlite"
    cache.parent.mkdir(parents=True)
    if kind == "folder":
        cache.mkdir()
    elif kind == "loop":
        cache.symlink_to(cache)
    else:
        with closing(sqlite3.connect(cache)) as other, other:
            other.execute("CREATE TABLE files (colour TEXT)")
    with pytest.raises(FeatureError, match=r"features\.sqlite cannot be used .*Delete it"):
        extract(folder, own_workspace)


def test_a_workspace_that_cannot_be_made_is_named(folder, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FeatureError, match="SER_WORKSPACE"):
        extract(folder, tmp_path / "file")


def test_what_was_extracted_before_a_kill_is_kept(folder, own_workspace):
    def stop_after_one_batch(done, total):
        if done >= store.BATCH:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(folder, own_workspace, progress=stop_after_one_batch)
    again = extract(folder, own_workspace)
    assert (again.extracted, again.reused) == (32, 32)


def test_another_feature_version_reuses_nothing(folder, own_workspace):
    extract(folder, own_workspace)
    newer = dataclasses.replace(registry.MEAN180, version="study-2")
    assert extract(folder, own_workspace, features=newer).extracted == 64


def test_progress_counts_up_to_all_clips(folder, own_workspace):
    told = []
    extract(folder, own_workspace, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 64)
    assert told[-1] == (64, 64)
    assert told == sorted(told)


def test_all_cores_give_the_numbers_of_one(folder, own_workspace, tmp_path):
    one = extract(folder, own_workspace).table
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "BATCH", 8)
        two = tables.extract(corpus.index(folder), tmp_path / "other", jobs=2).table
    assert two.equals(one)


def test_a_clip_that_breaks_off_is_left_out_and_named(folder, own_workspace):
    clip = break_clips(folder, 1)[0]
    made = extract(folder, own_workspace)
    assert len(made.table) == 63
    assert made.extracted == 63
    assert [item.file for item in made.rejected] == [clip]


def test_more_than_two_percent_of_broken_clips_stop_the_run(folder, own_workspace):
    break_clips(folder, 2)
    with pytest.raises(FeatureError, match=r"2 of 64 clips cannot be read \(3\.1%"):
        extract(folder, own_workspace)


def test_a_file_that_the_index_could_not_read_counts_as_broken(folder, own_workspace):
    for clip in sorted(folder.glob("Actor_01/*.wav"))[:2]:
        clip.write_bytes(b"")
    with pytest.raises(FeatureError, match="2 of 64 clips cannot be read"):
        extract(folder, own_workspace)


def break_clips(folder, number: int) -> list[str]:
    """Clips with a whole header and samples that are no numbers."""
    clips = sorted(folder.glob("Actor_03/*.wav"))[:number]
    for clip in clips:
        soundfile.write(clip, np.full(30_000, np.nan, dtype=np.float32), 22_050, subtype="FLOAT")
    return [clip.relative_to(folder).as_posix() for clip in clips]


def test_features_of_two_kinds_are_kept_side_by_side(voices, own_workspace):
    found = corpus.index(voices)
    both = [
        tables.extract(found, own_workspace, features=kind, jobs=1) for kind in (registry.MEAN180, registry.PROSODY)
    ]
    again = tables.extract(found, own_workspace, features=registry.PROSODY, jobs=1)
    assert [(one.extracted, one.reused) for one in (*both, again)] == [(64, 0), (64, 0), (0, 64)]
    assert list(again.table.columns[-2:]) == ["loudness_lufs", "pitch_hz"]
    assert again.table.attrs["feature_version"] == registry.PROSODY.version


@pytest.mark.parametrize(("free_gb", "clips"), [(-1, 1), (0, 1), (0.1, 1), (0.5, 6), (1, 12), (2, 16), (500, 16)])
def test_a_batch_fills_half_of_the_free_memory_and_has_bounds(free_gb, clips):
    assert store.batch_size(int(free_gb * 2**30)) == clips
