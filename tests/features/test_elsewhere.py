import numpy as np
import pandas as pd
import pytest

from ser_core.errors import CorpusError, FeatureError
from ser_core.features import elsewhere, model_input, tables
from ser_core.features.feature_set import is_from_elsewhere


@pytest.fixture
def written(table) -> pd.DataFrame:
    """Numbers by clip in an order of their own, with a clip that is not asked for."""
    values = np.random.default_rng(0).normal(size=(len(table), 3))
    made = pd.DataFrame(values, columns=["a", "b", "c"]).assign(stem=table["stem"].to_numpy())
    extra = pd.DataFrame({"stem": ["other"], "a": [1.0], "b": [np.nan], "c": [0.0]})
    return pd.concat([made, extra]).sample(frac=1, random_state=2)


def save(written, tmp_path):
    written.to_csv(tmp_path / "F.csv", index=False)
    return tmp_path / "F.csv"


def test_a_file_is_a_feature_table_in_the_order_of_the_clips(table, written, tmp_path, settings):
    made = elsewhere.of_file(save(written, tmp_path), table)
    assert made["stem"].tolist() == table["stem"].tolist()
    expected = written.set_index("stem").loc[table["stem"]].to_numpy(np.float32)
    features = tables.features_of(made)
    np.testing.assert_array_equal(tables.matrix(made, features), expected)
    assert (features.names, features.version) == (("a", "b", "c"), features.key)
    assert is_from_elsewhere(features.key) and features.key.startswith("F.csv@")
    assert tables.digest(made) == tables.digest(table)
    seen = model_input.load(made, settings, features=features.key)
    np.testing.assert_array_equal(seen.values, expected)
    assert (seen.features, seen.version) == (features.key, features.key)


def test_the_features_that_the_clips_had_are_gone(table, written, tmp_path):
    assert "mfcc_01" not in elsewhere.of_file(save(written, tmp_path), table)


def test_row_numbers_that_pandas_writes_are_no_feature(table, written, tmp_path):
    written.to_csv(tmp_path / "F.csv")
    assert tables.features_of(elsewhere.of_file(tmp_path / "F.csv", table)).names == ("a", "b", "c")


def test_another_content_is_another_feature_set(table, written, tmp_path):
    first = elsewhere.of_file(save(written, tmp_path), table).attrs[tables.VERSION]
    second = elsewhere.of_file(save(written.assign(a=written["a"] + 1), tmp_path), table).attrs[tables.VERSION]
    assert first != second


def test_what_audformat_and_an_index_have_besides_is_left_out(table, written, tmp_path):
    known = written.merge(table[["stem", "path", "speaker", "duration_s", "statement"]], how="left")
    known["file"], known["start"], known["end"] = known.pop("path").fillna("x.wav"), "0 days", "0 days 00:00:01"
    framed = known.drop(columns="stem").set_index(["file", "start", "end"])
    framed.to_parquet(tmp_path / "F.parquet")
    made = elsewhere.of_file(tmp_path / "F.parquet", table)
    assert tables.features_of(made).names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda all, one: all[all["stem"] != one], "missing (1 of 64): {0}"),
        (lambda all, one: pd.concat([all, all[all["stem"] == one]]), "there twice (1): {0}"),
        (lambda all, one: all.assign(b=all["b"].where(all["stem"] != one)), "no finite numbers (1): {0} in b"),
        (lambda all, one: all.assign(b=all["b"].where(all["stem"] != one, np.inf)), "no finite numbers (1): {0} in b"),
        (lambda all, one: all.assign(b=all["b"].where(all["stem"] != one, 1e300)), "no finite numbers (1): {0} in b"),
        (lambda all, one: all.assign(d="0,25"), "in d (0,25), "),
        (lambda all, one: all[["stem"]], "has no column of numbers"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_clips(table, written, tmp_path, change, said):
    one = table["stem"].iloc[7]
    with pytest.raises(FeatureError) as caught:
        elsewhere.of_file(save(change(written, one), tmp_path), table)
    assert said.format(one) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_second_column_that_names_the_clips_is_no_feature(table, written, tmp_path):
    named = written.assign(file=written["stem"] + ".wav", clip=written["stem"])
    assert tables.features_of(elsewhere.of_file(save(named, tmp_path), table)).names == ("a", "b", "c")


def test_an_encoder_that_is_named_as_a_table_is_told(table, tmp_path):
    (tmp_path / "e.onnx").write_bytes(b"\x08\x08\x12\xcc")
    with pytest.raises(CorpusError, match=r"e\.onnx is an encoder, and not a table of numbers: name it onnx:"):
        elsewhere.of_file(tmp_path / "e.onnx", table)


def test_a_file_without_names_of_clips_is_refused(table, written, tmp_path):
    with pytest.raises(CorpusError, match="no column that names the clips"):
        elsewhere.of_file(save(written.drop(columns="stem"), tmp_path), table)


def test_a_feature_that_is_there_twice_is_named(table, written, tmp_path):
    doubled = pd.concat([written, written["a"]], axis=1)
    with pytest.raises(CorpusError, match=r"F\.csv has the column 'a' twice"):
        elsewhere.of_file(save(doubled, tmp_path), table)


def test_what_extract_made_is_told_from_what_comes_from_elsewhere(table, file, written, tmp_path):
    written.to_parquet(tmp_path / "F.parquet")
    part = table[["stem", "mfcc_01"]]  # keeps the mark of the table that it was taken from
    part.to_parquet(tmp_path / "part.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    named = [file, "mean180", "plp", tmp_path / "F.parquet", tmp_path / "part.parquet", save(written, tmp_path)]
    named += ["gone.csv", "gone.parquet", tmp_path / "broken.parquet", "onnx:e.onnx"]
    found = [elsewhere.is_named(str(one)) for one in named]
    assert found == [False, False, False, True, True, True, True, False, False, True]
