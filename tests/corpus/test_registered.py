import os

import pytest

from ser_core.corpus import registered
from ser_core.errors import CorpusError


def put(workspace, name: str, age_s: int = 0):
    file = workspace / "corpora" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    os.utime(file, (1e9 - age_s, 1e9 - age_s))
    return file


def test_without_a_folder_there_is_none(tmp_path):
    assert registered.list_all(tmp_path) == []


def test_files_of_one_name_are_one_corpus_and_others_are_none(tmp_path):
    for name in ("b.parquet", "a.csv", "a.parquet", "ravdess.csv", ".a.csv.17", "notes.txt"):
        put(tmp_path, name)
    (tmp_path / "corpora" / "folder.csv").mkdir()
    first, second = registered.list_all(tmp_path)
    assert (first.name, first.manifest.name, first.table.name) == ("a", "a.csv", "a.parquet")
    assert (second.name, second.manifest, second.table.name) == ("b", None, "b.parquet")


def test_clips_are_read_from_the_newer_file(tmp_path):
    put(tmp_path, "a.csv", age_s=10)
    put(tmp_path, "a.parquet")
    (one,) = registered.list_all(tmp_path)
    assert (one.newest.name, one.is_outdated) == ("a.parquet", False)
    put(tmp_path, "a.csv", age_s=-10)
    assert (one.newest.name, one.is_outdated) == ("a.csv", True)


def test_a_corpus_that_is_not_there_is_named_beside_those_that_are(tmp_path):
    put(tmp_path, "a.csv")
    with pytest.raises(CorpusError, match="no corpus 'b'; there is ravdess, a"):
        registered.find("b", registered.list_all(tmp_path))


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".a", "a b", "RAVDESS"])
def test_a_name_that_cannot_be_a_file_of_the_folder_is_refused(tmp_path, name):
    with pytest.raises(CorpusError, match=r"such as emodb|Choose another name"):
        registered.place(name, tmp_path, ".csv")


def test_a_name_leads_to_a_file_of_the_folder(tmp_path):
    assert registered.place("emo-db_1.2", tmp_path, ".csv") == tmp_path / "corpora" / "emo-db_1.2.csv"
