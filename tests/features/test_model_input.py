"""What a model sees of every clip: what is kept and when it is made anew, and every way that it lacks."""

import dataclasses
import shutil

import numpy as np
import pytest

from ser_core import corpus
from ser_core.corpus import synthetic
from ser_core.errors import FeatureError
from ser_core.features import mean180, model_input, registry, tables


def load(table, settings, features="frames", **options):
    return model_input.load(table, settings, features=features, jobs=1, **options)


@pytest.fixture
def settings(settings, voices):
    return dataclasses.replace(settings, data_dir=voices)


@pytest.fixture
def made(monkeypatch) -> list[int]:
    """One entry for each clip that log-mel frames were made of."""
    counted, plain = [], registry.FEATURE_SETS["frames"]

    def counting(samples):
        counted.append(1)
        return plain.extract(samples)

    counted_set = dataclasses.replace(plain, extract=counting)
    monkeypatch.setitem(registry.FEATURE_SETS, "frames", counted_set)
    return counted


def test_what_was_made_is_kept_and_read_again(settings, table, made):
    told = []
    first = load(table, settings, progress=lambda *at: told.append(at))
    assert len(made) == 64 and told == [(0, 64), (32, 64), (64, 64)]
    assert first.values.shape == (64, 192, 64) and first.values.dtype == np.float16
    again = load(table, settings)
    assert len(made) == 64
    np.testing.assert_array_equal(again.values, first.values)
    backwards = load(table.iloc[::-1], settings)  # the order is the table's
    np.testing.assert_array_equal(backwards.values, first.values[::-1])
    assert (first.features, first.version) == ("frames", "frames-1")


def test_one_that_was_broken_off_makes_only_what_lacks(settings, table, made):
    def break_off(done, total):
        if done == 32:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(table, settings, progress=break_off)
    assert len(made) == 32
    load(table, settings)
    assert len(made) == 64


def test_a_recording_that_changed_is_seen_anew(settings, table, made, tmp_path, voices):
    shutil.copytree(voices, tmp_path / "voices")
    own = dataclasses.replace(settings, data_dir=tmp_path / "voices")
    before = load(table, own).values
    stem = table["stem"].iloc[5]
    (file,) = (tmp_path / "voices").rglob(f"{stem}.wav")
    file.write_bytes(synthetic.wav("happy", actor=4, seconds=1.2))
    made.clear()
    after = load(table, own).values
    assert len(made) == 1
    changed = (after != before).any(axis=(1, 2))
    assert list(np.flatnonzero(changed)) == [5]


def test_the_numbers_of_the_table_need_no_recordings(settings, table, tmp_path):
    nowhere = dataclasses.replace(settings, data_dir=tmp_path / "nowhere")
    seen = load(table, nowhere, features="study")
    np.testing.assert_array_equal(seen.values, tables.matrix(table))
    assert seen.version == mean180.VERSION


def test_recordings_that_lack_are_told_with_the_way_to_them(settings, table, tmp_path):
    nowhere = dataclasses.replace(settings, data_dir=tmp_path / "nowhere")
    with pytest.raises(FeatureError, match=r"nowhere is not there. Download them \(python -m ser_core download\)"):
        load(table, nowhere)
    some = tmp_path / "some"
    synthetic.write_corpus(some, actors=(1,), emotions=("angry", "sad"), seconds=0.5)
    fewer = dataclasses.replace(settings, data_dir=some)
    with pytest.raises(FeatureError, match=r"48 of 64 are not in .*some, such as 0[13]-01-.*SER_DATA_DIR"):
        load(table, fewer)


def test_a_recording_that_cannot_be_read_is_named(settings, table, tmp_path):
    synthetic.write_corpus(tmp_path / "voices", actors=range(1, 5), emotions=("angry", "sad"), seconds=0.5)
    broken = tmp_path / "voices" / corpus.index(tmp_path / "voices").clips["path"].iloc[0]
    broken.write_bytes(broken.read_bytes()[:50])  # its head is whole, and next to no sound follows
    own = dataclasses.replace(settings, data_dir=tmp_path / "voices")
    with pytest.raises(FeatureError, match=rf"{broken.name} cannot be read: .* remove it from the table"):
        load(table, own)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"<html>no such page</html>", "cannot be read: This is not a sound file .*"), (b"", "an empty file")],
)
def test_a_recording_without_a_whole_header_is_not_told_as_absent(settings, table, tmp_path, content, says):
    folder = tmp_path / "voices"
    synthetic.write_corpus(folder, actors=range(1, 5), emotions=("angry", "sad"), seconds=0.5)
    broken = folder / corpus.index(folder).clips["path"].iloc[0]
    broken.write_bytes(content)
    own = dataclasses.replace(settings, data_dir=folder)
    with pytest.raises(FeatureError, match=rf"1 of 64 recordings cannot .* {broken} \({says}\). Replace them, or"):
        load(table, own)


def test_a_feature_set_that_there_is_not(settings):
    with pytest.raises(FeatureError, match=r"no feature set 'smell'; there is .*vgg16, vgg19, resnet50, ince"):
        registry.get("smell", settings)


def test_the_recordings_of_an_index_are_those_of_its_folder(settings, voices, tmp_path):
    settings = dataclasses.replace(settings, data_dir=tmp_path / "nowhere")
    found = corpus.index(voices)
    clips = found.clips.head(2).copy()
    clips.attrs[tables.FOLDER] = str(found.folder)
    assert load(clips, settings, features="mean180").values.shape == (2, 180)
