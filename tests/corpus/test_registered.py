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
    assert registered.read_all(tmp_path) == ([], [])


def test_files_of_one_name_are_one_corpus_and_others_are_none(tmp_path):
    for name in ("b.parquet", "a.csv", "a.parquet", "ravdess.csv", ".a.csv.17", "notes.txt"):
        put(tmp_path, name)
    (first, second), unreadable = registered.read_all(tmp_path)
    assert not unreadable
    assert (first.name, first.manifest.name, first.table.name) == ("a", "a.csv", "a.parquet")
    assert (second.name, second.manifest, second.table.name) == ("b", None, "b.parquet")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda entry: entry.mkdir(), "it is a folder"),
        (lambda entry: entry.symlink_to(entry), "it leads to no file (Too many levels of symbolic links)"),
        (lambda entry: entry.symlink_to("gone"), "it leads to no file (No such file or directory)"),
        (os.mkfifo, "it is no file"),
    ],
    ids=["folder", "loop", "leads nowhere", "pipe"],
)
@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "mine.csv"])
def test_an_entry_that_is_no_file_is_named_and_the_others_are_corpora(tmp_path, name, make, reason):
    put(tmp_path, "a.parquet" if name == "a.csv" else "a.csv")
    put(tmp_path, "b.csv")
    make(tmp_path / "corpora" / name)
    found, (bad,) = registered.read_all(tmp_path)
    assert [one.name for one in found] == ["a", "b"]
    assert not (found[0].manifest and found[0].table)
    assert str(bad).startswith(f"Corpus {name} cannot be read: {reason}. Move it out of the folder corpora of the")


def test_entries_that_would_be_no_corpus_are_not_named(tmp_path):
    for name in ("notes", "notes.txt", ".a.csv", "ravdess.csv"):
        (tmp_path / "corpora" / name).mkdir(parents=True)
    assert registered.read_all(tmp_path) == ([], [])


@pytest.mark.parametrize("make", [lambda place: place.touch(), lambda place: place.symlink_to(place)])
def test_what_stands_in_the_place_of_the_folder_is_named(tmp_path, make):
    make(tmp_path / "corpora")
    found, (bad,) = registered.read_all(tmp_path)
    assert not found and str(bad).startswith("Folder corpora cannot be read: ") and "Move it elsewhere" in str(bad)


def test_clips_are_read_from_the_newer_file(tmp_path):
    put(tmp_path, "a.csv", age_s=10)
    put(tmp_path, "a.parquet")
    (one,), _ = registered.read_all(tmp_path)
    assert (one.newest.name, one.is_outdated) == ("a.parquet", False)
    put(tmp_path, "a.csv", age_s=-10)
    assert (one.newest.name, one.is_outdated) == ("a.csv", True)


def test_a_corpus_that_is_not_there_is_named_beside_those_that_are(tmp_path):
    put(tmp_path, "a.csv")
    with pytest.raises(CorpusError, match="no corpus 'b'; there is ravdess, a"):
        registered.find("b", registered.read_all(tmp_path)[0])


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".a", "a b", "RAVDESS"])
def test_a_name_that_cannot_be_a_file_of_the_folder_is_refused(tmp_path, name):
    with pytest.raises(CorpusError, match=r"such as emodb|Choose another name"):
        registered.place(name, tmp_path, ".csv")


def test_a_name_leads_to_a_file_of_the_folder(tmp_path):
    assert registered.place("emo-db_1.2", tmp_path, ".csv") == tmp_path / "corpora" / "emo-db_1.2.csv"
