"""Files written whole or not at all, and tables."""

import io

import numpy as np
import pandas as pd
import pytest

from ser_core import files


def test_what_is_written_is_what_is_read_and_smaller_than_pandas_has_it(tmp_path):
    random = np.random.default_rng(0)
    table = pd.DataFrame({"clip": [f"clip-{i}" for i in range(2000)], "fold": 1})
    table[[f"p_{i}" for i in range(16)]] = random.dirichlet(np.ones(16), 2000).astype(np.float32)
    table.attrs["feature_version"] = "test-1"
    files.write(table, tmp_path / "ours.parquet")
    table.to_parquet(tmp_path / "pandas.parquet", compression="zstd", index=False)
    again = pd.read_parquet(tmp_path / "ours.parquet")
    pd.testing.assert_frame_equal(again, table)
    assert again.attrs == table.attrs
    sizes = [(tmp_path / name).stat().st_size for name in ("ours.parquet", "pandas.parquet")]
    assert sizes[0] < 0.8 * sizes[1]


def test_a_file_is_replaced_whole(tmp_path):
    file = tmp_path / "answer.txt"
    for words in ("first", "second"):
        with files.atomically(file) as part:
            part.write_text(words)
            assert not file.exists() or file.read_text() == "first"  # until the block ends
        assert file.read_text() == words
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_after_an_error_the_old_file_stands_and_nothing_is_left_of_the_new(tmp_path, error):
    file = tmp_path / "answer.txt"
    file.write_text("old")
    with pytest.raises(type(error)), files.atomically(file) as part:
        part.write_text("half")
        raise error
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-a.wav", "@SUM(A1)", "\t=1", " =1", "\n=1"])
def test_no_text_in_a_csv_begins_like_a_formula(text):
    table = pd.DataFrame({text: [text, "a=b.wav", "'"], "level": [-3.5, 1e-9, 0.0]})
    again = pd.read_csv(io.StringIO(files.as_csv(table), newline=""))
    assert again.columns.tolist() == [f"'{text}", "level"]
    assert again[f"'{text}"].tolist() == [f"'{text}", "a=b.wav", "'"]
    assert again["level"].tolist() == [-3.5, 1e-9, 0.0]


def test_no_text_in_a_csv_begins_a_line_of_its_own():
    again = pd.read_csv(io.StringIO(files.as_csv(pd.DataFrame({"file": ["a\r=1", "\r=1", "a\n=1"]})), newline=""))
    assert again["file"].tolist() == ["a =1", "' =1", "a\n=1"]


def test_wide_signs_of_formulas_are_harmless_too():
    assert files.as_csv(pd.DataFrame({"file": ["\uff1d1+1"]})) == "file\n'\uff1d1+1\n"


def test_numbers_that_are_kept_as_text_stay_as_they_are():
    table = pd.DataFrame({"parameter": ["-0.5", "+3", "rbf", "-1e-3", "-1+1"]})
    assert files.as_csv(table).split() == ["parameter", "-0.5", "+3", "rbf", "-1e-3", "'-1+1"]


def test_times_in_a_csv_stay_as_they_are():
    table = pd.DataFrame({"began": pd.to_datetime(["2026-11-26 10:00:00.5", None]), "name": ["a", "b"]})
    assert files.as_csv(table) == table.to_csv(index=False)


def test_numbers_lists_and_gaps_in_a_csv_stay_as_they_are():
    table = pd.DataFrame({"possible": [["-angry"], []], "gender": [None, "male"], "turn": [1, -2]})
    assert files.as_csv(table) == table.to_csv(index=False)
