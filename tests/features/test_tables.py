"""Feature tables on disk: what is written is read back, and what does not fit is refused with one line."""

import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ser_core.errors import FeatureError
from ser_core.features import mean180, tables
from ser_core.features.registry import PROSODY


def test_a_saved_table_is_read_back_as_it_was(table, tmp_path):
    tables.save(table, tmp_path / "new" / "table.parquet")
    again = tables.read(tmp_path / "new" / "table.parquet")
    assert again.equals(table)
    assert tables.digest(again) == tables.digest(table)
    assert os.listdir(tmp_path / "new") == ["table.parquet"]


def test_the_digest_is_of_the_clips_and_not_of_their_features(table):
    other = table.copy()
    other.loc[3, "mel_007"] += 1e-3
    assert tables.digest(other) == tables.digest(table)
    relabelled, longer = table.copy(), table.copy()
    relabelled.loc[3, "label"] = "calm_male"
    longer.loc[3, "duration_s"] += 0.001
    assert len({tables.digest(each) for each in (table, relabelled, longer, table.iloc[1:])}) == 4


def test_a_missing_table_says_how_to_make_one(tmp_path):
    with pytest.raises(FeatureError, match=r"no feature table .*x\.parquet.*ser_core extract"):
        tables.read(tmp_path / "x.parquet")


def test_a_damaged_table_is_named(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(FeatureError, match=r"x\.parquet cannot be read"):
        tables.read(tmp_path / "x.parquet")


def test_a_table_of_another_version_is_refused(table, tmp_path):
    old = table.copy()
    old.attrs["feature_version"] = "study-0"
    tables.save(old, tmp_path / "old.parquet")
    with pytest.raises(FeatureError, match=r"'study-0'.*'study-1'"):
        tables.read(tmp_path / "old.parquet")


def test_a_table_without_the_features_is_refused(table, tmp_path):
    tables.save(table.drop(columns="mel_128"), tmp_path / "half.parquet")
    with pytest.raises(FeatureError, match="lacks 1 columns, the first 'mel_128'"):
        tables.read(tmp_path / "half.parquet")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda table: table.assign(mel_003=np.nan), "mel_003 contains values that are not finite numbers"),
        (lambda table: table.assign(mfcc_01="loud"), "mfcc_01 contains values that are not finite numbers"),
        (lambda table: table.assign(speaker=None), "speaker is missing for some clips"),
        (lambda table: table.assign(stem=table["stem"].iloc[0]), "is in it twice"),
    ],
)
def test_a_table_with_wrong_contents_is_refused(table, tmp_path, spoil, said):
    spoiled = spoil(table)
    spoiled.attrs = table.attrs
    tables.save(spoiled, tmp_path / "F.parquet")
    with pytest.raises(FeatureError, match=said):
        tables.read(tmp_path / "F.parquet")


def test_a_shuffled_table_is_read_in_the_indexs_order(table, tmp_path):
    shuffled = table.sample(frac=1, random_state=0)
    shuffled.attrs = table.attrs
    tables.save(shuffled, tmp_path / "F.parquet")
    assert tables.read(tmp_path / "F.parquet").equals(table)


def test_a_place_that_cannot_be_written_is_named(table, tmp_path):
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(FeatureError, match=r"folder\.parquet cannot be written"):
        tables.save(table, tmp_path / "folder.parquet")
    assert [file.name for file in tmp_path.iterdir()] == ["folder.parquet"]


def test_a_table_of_other_features_is_refused(table, tmp_path):
    tables.save(table, tmp_path / "t.parquet")
    with pytest.raises(FeatureError, match="lacks 2 columns, the first 'loudness_lufs'"):
        tables.read(tmp_path / "t.parquet", PROSODY)


def test_the_index_of_a_table_is_read_without_its_features(table, tmp_path, voices):
    tables.save(table, tmp_path / "F.parquet")
    found = tables.read_index(tmp_path / "F.parquet")
    assert found.folder == voices
    assert list(found.clips["stem"]) == list(table["stem"])
    assert not set(found.clips) & set(mean180.NAMES)
    assert found.file(table["stem"].iloc[0]).is_file()


def test_a_file_without_an_index_is_no_table_of_features(tmp_path):
    pd.DataFrame({"stem": ["a"]}).to_parquet(tmp_path / "F.parquet")
    with pytest.raises(FeatureError, match="lacks the column 'path'"):
        tables.read_index(tmp_path / "F.parquet")


def test_of_a_large_table_a_sample_is_read_with_the_same_features(table, tmp_path):
    tables.save(table, tmp_path / "F.parquet")
    some, clips = tables.read_some(tmp_path / "F.parquet", 10)
    assert (len(some), clips) == (10, 64)
    whole = tables.read(tmp_path / "F.parquet").set_index("stem").loc[some["stem"]].reset_index()
    pd.testing.assert_frame_equal(some, whole[list(some)])
    assert tables.features_of(some).key == "mean180"
    assert some["emotion"].value_counts().to_dict() == {"angry": 5, "sad": 5}


def test_a_small_table_is_read_whole(table, tmp_path):
    tables.save(table, tmp_path / "F.parquet")
    some, clips = tables.read_some(tmp_path / "F.parquet")
    assert (len(some), clips) == (64, 64)


@pytest.mark.parametrize("read", [tables.read, tables.read_index, tables.read_some])
def test_a_column_that_is_there_twice_is_named_in_one_line(tmp_path, read):
    doubled = pa.Table.from_arrays([pa.array(["a"]), pa.array([1.0]), pa.array([2.0])], ["stem", "pitch", "pitch"])
    pq.write_table(doubled, tmp_path / "F.parquet")
    with pytest.raises(FeatureError, match=r"F\.parquet cannot be read as a feature table: .*pitch") as caught:
        read(tmp_path / "F.parquet")
    assert "\n" not in str(caught.value)
