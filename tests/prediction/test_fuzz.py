"""The script that lets damaged recordings through the whole predictor: its mutants, its log, and a few of them."""

import json
import os
import sys
from types import ModuleType

import pytest

from benchmarks.fuzz import _with_right_sums, main, mutant, originals

FORMATS = ["wav", "flac", "mp3", "ogg", "m4a", "webm"]


@pytest.fixture(autouse=True)
def no_main(monkeypatch):
    """AppTest leaves the router as the main module of this process, and processes that are spawned run that first."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


@pytest.fixture(scope="module")
def sounds():
    return originals()


def test_a_mutant_is_the_same_in_every_run(sounds):
    made = [mutant(number, sounds) for number in range(60)]
    assert made == [mutant(number, sounds) for number in range(60)]
    assert [name for name, _, _ in made[:6]] == FORMATS
    assert len({content for _, _, content in made}) > 50
    assert len({change for _, changes, _ in made for change in changes}) == 9


def test_pages_of_ogg_get_the_sums_that_they_should_have(sounds):
    for whole in sounds["ogg"]:
        assert _with_right_sums(bytearray(whole)) == whole
        broken = bytearray(whole)
        broken[22] ^= 255
        assert _with_right_sums(broken) == whole


@pytest.mark.slow
def test_it_goes_on_where_it_was_stopped_and_finds_no_fault(tmp_path, capfd):
    log = tmp_path / "log.jsonl"
    for mutants in ("7", "12"):
        main(str(log), mutants)
    done = [json.loads(line) for line in log.read_text().splitlines()]
    assert [one["number"] for one in done] == list(range(12))
    assert {one["became"] for one in done} <= {"heard", "refused"}
    assert "12 of 12 mutants" in capfd.readouterr().out


@pytest.mark.slow
def test_what_crashes_or_hangs_is_written_down_and_the_next_one_is_heard(tmp_path, monkeypatch, capfd, sounds):
    log, whole = tmp_path / "log.jsonl", sounds["wav"][0]
    contents = [b"crash", b"hang", whole]
    monkeypatch.setattr("benchmarks.fuzz.mutant", lambda number, _: ("wav", [], contents[number]))
    monkeypatch.setattr("benchmarks.fuzz.hear", odd)
    monkeypatch.setattr("benchmarks.fuzz.HANG_S", 1.0)
    main(str(log), "3")
    assert [json.loads(line)["became"] for line in log.read_text().splitlines()] == ["crash", "hang", "heard"]
    said = capfd.readouterr().out
    assert "crash 0 (wav" in said and "hang 1 (wav" in said


def odd(connection) -> None:
    """In place of the process that hears."""
    connection.send("ready")
    while True:
        match connection.recv_bytes():
            case b"crash":
                os._exit(11)
            case b"hang":
                while True:
                    pass
        connection.send(("heard", "unsure", 100.0, 0.0))
