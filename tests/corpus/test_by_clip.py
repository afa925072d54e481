"""Tables that were made elsewhere."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ser_core.corpus import by_clip
from ser_core.errors import CorpusError


@pytest.mark.parametrize(
    ("content", "twice"),
    [
        ("clip,a,b,a\nx,1,2,3\n", "a"),
        ("clip;a;a\nx;1;2\n", "a"),
        ("clip\ta\ta\nx\t1\t2\n", "a"),
        ('\n"clip","a, b","a, b"\nx,1,2\n', "a, b"),
        ("clip,clip,a\nx,y,1\n", "clip"),
        ("\ufeffclip,a,clip\nx,1,y\n", "clip"),
    ],
)
def test_a_csv_with_two_columns_of_one_name_is_one_line_that_names_it(tmp_path, content, twice):
    file = tmp_path / "F.csv"
    file.write_text(content)
    with pytest.raises(CorpusError) as caught:
        by_clip.read(file)
    assert str(caught.value) == f"{file} has the column {twice!r} twice. Rename one of them, or leave it out"


def test_names_that_only_look_as_if_pandas_had_made_them_are_read(tmp_path):
    (tmp_path / "F.csv").write_text("clip,a,a.1,A,,\nx,1,2,3,,\n")
    assert list(by_clip.read(tmp_path / "F.csv")[0]) == ["clip", "a", "a.1", "A"]


def test_a_parquet_file_with_two_columns_of_one_name_is_one_line_that_names_it(tmp_path):
    file = tmp_path / "F.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array(["x"]), pa.array([1.0]), pa.array([2.0])], ["clip", "a", "a"]), file)
    with pytest.raises(CorpusError) as caught:
        by_clip.read(file)
    assert str(caught.value) == f"{file} has the column 'a' twice. Rename one of them, or leave it out"


def test_an_index_of_a_columns_name_is_that_name_twice(tmp_path):
    pd.DataFrame({"file": ["a"], "x": [1.0]}, index=pd.Index(["b"], name="file")).to_parquet(tmp_path / "F.parquet")
    with pytest.raises(CorpusError, match="has the column 'file' twice"):
        by_clip.read(tmp_path / "F.parquet")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe", b"PAR1", b"PAR1" + bytes(99) + b"PAR1"])
def test_what_is_no_table_is_one_line(tmp_path, content):
    (tmp_path / "F.csv").write_bytes(content)
    with pytest.raises(CorpusError, match=r"F\.csv is neither CSV in UTF-8 nor Parquet") as caught:
        by_clip.read(tmp_path / "F.csv")
    assert "\n" not in str(caught.value)
