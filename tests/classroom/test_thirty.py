"""Thirty who write at once, in processes of their own, some of which are killed."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ser_core.classroom.rules import Store
from ser_core.corpus.labels import EMOTION_NAMES
from ser_core.settings import child_environment

CLIPS = 10
# Answers every clip twice, and says of each once it is taken.
PUPIL = """
import sys
from pathlib import Path
from ser_core.classroom.rules import Store

store = Store(Path(sys.argv[1]))
pupil = store.pupil(sys.argv[2], sys.argv[3])
print("here", flush=True)
sys.stdin.readline()
for clip in range(1, int(sys.argv[4]) + 1):
    taken = store.answer(pupil, 1, clip, "sad", 0.5), store.answer(pupil, 1, clip, "angry", 0.5)
    assert taken[1] is False
    print(clip, flush=True)
"""


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "classes.sqlite")
    yield made
    made.close()


def writer(store, pupil, clips=CLIPS):
    return subprocess.Popen(
        [sys.executable, "-c", PUPIL, str(store.database.file), pupil.code, pupil.token, str(clips)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )


def test_thirty_in_one_process_lose_nothing_and_double_nothing(store):
    teacher = store.open_class("correct horse")
    with ThreadPoolExecutor(30) as pool:
        pupils = list(pool.map(lambda number: store.join(teacher.code, f"Pupil {number}"), range(30)))
        assert sorted(pupil.number for pupil in pupils) == list(range(1, 31))
        store.start_round(teacher, "7", EMOTION_NAMES, CLIPS)

        def answer(task) -> bool:
            pupil, clip = task
            return store.answer(pupil, 1, clip, EMOTION_NAMES[pupil.number % 8], 0.5)

        tasks = [(pupil, clip) for clip in range(1, CLIPS + 1) for pupil in pupils]
        new = list(pool.map(answer, tasks * 2))
    assert sum(new) == len(tasks)
    found = store.answers(teacher)
    assert len(found) == len(tasks) and not found.duplicated(["listener", "clip"]).any()
    assert (found["answer"] == [EMOTION_NAMES[number % 8] for number in found["listener"]]).all()


def test_two_who_take_the_same_nickname_at_once_are_told_apart(store):
    teacher = store.open_class("correct horse")

    def join(_):
        try:
            return store.join(teacher.code, "Ann")
        except Exception as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(join, range(8)))
    assert len([one for one in given if not isinstance(one, str)]) == 1
    assert all("choose another nickname" in one for one in given if isinstance(one, str))


def test_processes_that_write_at_once_and_one_that_is_killed_lose_nothing_that_was_taken(store):
    teacher = store.open_class("correct horse")
    pupils = [store.join(teacher.code, f"Pupil {number}") for number in range(4)]
    clips = 40
    store.start_round(teacher, "7", EMOTION_NAMES, clips)
    writers = [writer(store, pupil, clips) for pupil in pupils]
    for one in writers:
        assert one.stdout.readline() == "here\n"
    for one in writers:
        one.stdin.write("\n")
        one.stdin.flush()
    killed, pupil = writers[0], pupils[0]
    taken = [int(killed.stdout.readline()) for _ in range(5)]
    killed.kill()
    taken += [int(line) for line in killed.stdout.read().split("\n") if line]
    for one in writers[1:]:
        said = one.communicate()[0].split()
        assert one.returncode == 0 and said == [str(clip) for clip in range(1, clips + 1)]
    killed.wait()
    killed.stdin.close()
    killed.stdout.close()

    found = store.answers(teacher)
    by_pupil = {number: set(rows["clip"]) for number, rows in found.groupby("listener")}
    assert not found.duplicated(["listener", "clip"]).any()
    assert all(by_pupil[one.number] == set(range(1, clips + 1)) for one in pupils[1:])
    assert 5 <= len(taken) < clips
    assert by_pupil[pupil.number] - {len(taken) + 1} == set(taken)  # one may be taken and not yet told
    assert (found["answer"] == "sad").all()

    again = writer(store, pupil, clips)  # and the pupil goes on
    again.communicate("\n")
    assert len(store.answers(teacher)) == len(pupils) * clips


def test_several_processes_make_the_file_at_once(tmp_path):
    code = "import sys, pathlib; from ser_core.classroom.rules import Store; Store(pathlib.Path(sys.argv[1])).close()"
    command = [sys.executable, "-c", code, str(tmp_path / "new" / "classes.sqlite")]
    started = [subprocess.Popen(command, env=child_environment(), stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [one.communicate()[1] for one in started]
    assert [one.returncode for one in started] == [0] * 4, json.dumps(said)
