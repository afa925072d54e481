"""Jobs with real processes: whatever dies, what was finished is kept and the list tells the truth."""

import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from ser_core import cli, jobs
from ser_core.cli import job_worker
from ser_core.errors import JobError, ReadOnlyError, SettingsError, TrainingError
from ser_core.experiments import sweeps
from ser_core.jobs import control
from ser_core.jobs import job as state
from ser_core.results import runs
from ser_core.settings import PROJECT, Settings
from tests.job_folders import mine, put_job, task_of
from tests.waiting import until

SLOW = 10_000  # trials: nobody waits for their end


@pytest.fixture(autouse=True)
def nothing_is_left(settings):
    yield
    for job in jobs.list_all(settings):
        control._kill_all(job)


def becomes(job, settings, *statuses):
    def now():
        found = jobs.get(job.id, settings)
        assert found.status in statuses or found.is_alive, (found.status, found.message, found.log())
        return found if found.status in statuses else None

    return until(now)


def tuning(file, name="slow", trials=SLOW):
    much = ["--trials", str(trials), "--workers", "1", "--folds", "3"]
    return ["tune", "kn", *much, "--features", file, "--name", name, "--resume"]


def moves(job, settings, beyond=0):
    """Wait until a job is seen to move."""
    return until(lambda: (now := jobs.get(job.id, settings)).progress and now.progress.done > beyond and now)


def test_a_job_comes_to_its_end_with_its_answer(settings, file):
    job = jobs.start(task_of(["run", "kn", "--features", file, "--jobs", "1"]), settings)
    assert job.status in ("queued", "running")
    done = becomes(job, settings, "done")
    assert done.answer["model"] == "kn"
    assert (settings.workspace / "runs" / done.answer["run"]).is_dir()
    assert "accuracy on test" in done.log()
    assert [event["kind"] for event in done.events()] == ["queued", "began", "done"]
    assert done.began <= done.ended
    assert not done.is_resumable


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["run", "nothing"], "There is no model 'nothing'"),
        (["run", "kn", "--features", "/nowhere.parquet"], "There is no feature table /nowhere.parquet"),
        (["run", "kn", "--colour", "red"], "The command line is not valid"),
    ],
)
def test_bad_input_gives_one_line(settings, command, says):
    failed = becomes(jobs.start(task_of(command), settings), settings, "failed")
    assert says in failed.message
    assert "\n" not in failed.message


def test_a_bug_gives_a_short_message_and_a_trace_in_the_log(settings, monkeypatch, capsys, caplog):
    job = mine(settings, ["doctor"], status="running")
    monkeypatch.setattr(cli, "carry_out", lambda *_, **__: 1 / 0)
    end = job_worker._carry_out(job.folder)
    assert (end.status, end.message) == ("failed", "It failed because of a bug in this program; see the log")
    assert not end.is_final
    assert "ZeroDivisionError" in caplog.text


def test_a_training_that_would_fail_again_says_what_to_do_and_cannot_be_resumed(settings, monkeypatch):
    job = mine(settings, ["train", "cnn"], status="running")
    says = "The loss is nan in epoch 3: the steps are too long. Try a learning rate below 5"

    def fail(*_, **__):
        raise TrainingError(says)

    monkeypatch.setattr(cli, "carry_out", fail)
    monkeypatch.setattr(job_worker, "_wait_for_turn", lambda _: None)
    assert job_worker.main(job.folder) == 1
    failed = jobs.get(job.id, settings)
    assert (failed.status, failed.message) == ("failed", says)
    assert not failed.is_resumable and not failed.is_repeatable
    for again in (jobs.resume, jobs.retry):
        with pytest.raises(JobError, match=f"would end in the same way again. {says}"):
            again(failed, settings)
    assert jobs.list_all(settings) == [failed]  # it was not begun


def test_a_training_that_failed_for_another_reason_can_go_on(settings):
    failed = put_job(settings, ["train", "cnn"], status="failed", message="The disk is full")
    assert failed.is_resumable and failed.is_repeatable


def test_a_killed_process_is_an_interrupted_job_that_can_go_on(settings, file):
    job = moves(jobs.start(task_of(tuning(file, trials=400)), settings), settings)
    os.kill(job.pid, signal.SIGKILL)
    gone = becomes(job, settings, "interrupted")
    assert "ended without reporting" in gone.message
    ended = moves(job, settings).progress.done
    again = jobs.resume(gone, settings)
    assert again.id == job.id
    assert again.task == job.task
    assert moves(again, settings, beyond=ended)
    jobs.stop(jobs.get(job.id, settings), settings).join()


def test_a_number_that_another_process_got_is_no_job(settings):
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        job = put_job(settings, ["tune"], status="running", pid=other.pid)
        assert jobs.get(job.id, settings).status == "running"
        state.write_state(job.folder, process_began=psutil.Process(other.pid).create_time() - 3600)
        found = jobs.get(job.id, settings)
        assert found.status == "interrupted"
        jobs.delete(found, settings)  # which kills what the job left, and not the other
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_process_that_nobody_has_waited_for_is_gone(settings):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    job = put_job(settings, ["tune"], status="running", pid=child.pid)
    child.kill()
    until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)
    assert jobs.get(job.id, settings).status == "interrupted"
    child.wait()


def test_it_goes_on_when_its_starter_is_killed(settings, file):
    """The server dies; the job does not."""
    code = (
        "import sys, time; from ser_core import jobs; from ser_core.settings import Settings;"
        "from tests.job_folders import task_of; jobs.start(task_of(sys.argv[1:]), Settings.from_environment());"
        "print('started', flush=True); time.sleep(600)"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code, *tuning(file)], cwd=PROJECT, stdout=subprocess.PIPE, start_new_session=True
    )
    assert server.stdout.readline() == b"started\n"
    (job,) = jobs.list_all(settings)
    moves(job, settings)
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    moves(job, settings, beyond=jobs.get(job.id, settings).progress.done)
    jobs.stop(jobs.get(job.id, settings), settings).join()
    assert jobs.get(job.id, settings).status == "stopped"


def test_it_gives_way_to_the_server(settings, file):
    job = moves(jobs.start(task_of(tuning(file)), settings), settings)
    worker = psutil.Process(job.pid)
    assert {one.nice() for one in (worker, *worker.children())} == {psutil.Process().nice() + 10}
    assert (os.getsid(job.pid), os.getpgid(job.pid)) == (os.getsid(0), job.pid)
    jobs.stop(job, settings).join()


def test_stopped_while_it_runs_it_keeps_what_it_did(settings, file):
    job = moves(jobs.start(task_of(tuning(file)), settings), settings, beyond=2)
    jobs.stop(job, settings).join()
    stopped = jobs.get(job.id, settings)
    assert (stopped.status, stopped.message) == ("stopped", "Stopped. What was done is kept")
    from ser_core.tuning import results, studies

    assert results.count(studies.load(studies.find("slow", settings)))[0] > 2
    assert jobs.stop(stopped, settings) is None  # once more does nothing
    assert jobs.get(job.id, settings).status == "stopped"


def test_a_sweep_that_was_stopped_goes_on_with_the_rest(settings):
    text = f"models = ['kn']\nprotocols = ['statement']\nseeds = {list(range(500))}\n"
    sweeps.keep(text, settings)
    job = moves(jobs.start(sweeps.task(text, settings, 500), settings), settings, beyond=1)
    jobs.stop(job, settings).join()
    stopped = jobs.get(job.id, settings)
    assert stopped.status == "stopped" and stopped.is_resumable
    made = len(runs.read_own(settings.workspace)[0])
    assert f"{made} of 500 runs were made and are kept" in stopped.log()
    again = moves(jobs.resume(stopped, settings), settings)
    assert again.progress.total == 500 - made
    jobs.stop(again, settings).join()


def test_stopped_in_the_queue_it_never_begins(settings, file):
    first = moves(jobs.start(task_of(tuning(file)), settings), settings)
    second = jobs.start(task_of(tuning(file, "second")), settings)
    assert jobs.get(second.id, settings).place == 1
    jobs.stop(second, settings).join()
    stopped = jobs.get(second.id, settings)
    assert (stopped.status, stopped.began) == ("stopped", None)
    jobs.stop(first, settings).join()


def test_what_does_not_end_by_asking_is_killed(settings, file, monkeypatch):
    job = moves(jobs.start(task_of(tuning(file)), settings), settings)
    os.kill(job.pid, signal.SIGSTOP)  # as one that hangs
    seen, kill_all = threading.Event(), control._kill_all
    monkeypatch.setattr(control, "_kill_all", lambda job: seen.wait() and kill_all(job))
    waiting = jobs.stop(job, settings, grace_s=0.1)
    assert jobs.get(job.id, settings).status == "stopping"
    seen.set()
    waiting.join()
    stopped = jobs.get(job.id, settings)
    assert (stopped.status, stopped.message) == ("stopped", "Stopped. What was done is kept")


def test_what_a_job_left_behind_is_killed_before_it_goes_on(settings, file):
    command = tuning(file)
    command[command.index("--workers") + 1] = "2"
    job = moves(jobs.start(task_of(command), settings), settings)

    def started():
        return [p for p in psutil.Process(job.pid).children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]

    (helper,) = until(started)
    os.kill(job.pid, signal.SIGKILL)
    jobs.delete(becomes(job, settings, "interrupted"), settings)
    until(lambda: not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE)
    assert jobs.list_all(settings) == []


def test_one_runs_and_the_others_wait_in_order(settings, voices):
    folders = [str(voices / f"Actor_{number:02d}") for number in (1, 2, 3)]
    started = [jobs.start(task_of(["index", folder]), settings) for folder in folders]
    waiting = [job for job in jobs.list_all(settings) if job.status == "queued"]  # two, or fewer on a slow day
    assert [job.place for job in waiting] == [*range(1, len(waiting) + 1)]
    assert [job.id for job in waiting] == [job.id for job in started[3 - len(waiting) :]]
    ended = [becomes(job, settings, "done") for job in started]
    for before, after in itertools.pairwise(ended):
        assert before.ended <= after.began


def test_two_run_where_two_may(settings, file, monkeypatch):
    monkeypatch.setenv("SER_MAX_JOBS", "2")
    started = [jobs.start(task_of(tuning(file, f"n{number}")), settings) for number in range(3)]
    until(lambda: [job.status for job in jobs.list_all(settings)] == ["running", "running", "queued"])
    assert jobs.get(started[2].id, settings).place == 1
    for job in started:
        jobs.stop(job, settings)
    for job in started:
        becomes(job, settings, "stopped")


def test_thirty_starts_at_once_are_one_job(settings, file):
    code = (
        "import sys; from ser_core import jobs; from ser_core.settings import Settings;"
        "from tests.job_folders import task_of; sys.stdin.readline();"
        "print(jobs.start(task_of(sys.argv[1:]), Settings.from_environment()).id)"
    )
    pupils = [
        subprocess.Popen(
            [sys.executable, "-c", code, *tuning(file)], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(30)
    ]
    told = {pupil.communicate(b"\n")[0] for pupil in pupils}
    assert len(told) == 1
    (job,) = jobs.list_all(settings)
    jobs.stop(job, settings).join()


def test_two_threads_that_resume_begin_it_once(settings, file):
    job = moves(jobs.start(task_of(tuning(file)), settings), settings)
    jobs.stop(job, settings).join()
    stopped = jobs.get(job.id, settings)
    threads = [threading.Thread(target=jobs.resume, args=(stopped, settings)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: jobs.get(job.id, settings).status == "running")
    workers = [p for p in psutil.process_iter() if p.pid != os.getpid() and str(job.folder) in _command(p)]
    assert len(workers) == 1
    jobs.stop(jobs.get(job.id, settings), settings).join()


def _command(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_a_full_disk_is_reported_and_the_job_resumes_when_there_is_space(settings, file, tmp_path, monkeypatch):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(small)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        monkeypatch.setenv("SER_WORKSPACE", str(small))
        settings = Settings.from_environment()
        job = moves(jobs.start(task_of(tuning(file, trials=SLOW)), settings), settings, beyond=2)
        with pytest.raises(OSError), open(small / "filler", "wb") as filler:
            while True:
                filler.write(b"\0" * 4096)
                filler.flush()
        failed = becomes(job, settings, "failed")
        assert "full" in failed.message, failed.log()
        ended = failed.progress.done
        (small / "filler").unlink()
        assert moves(jobs.resume(failed, settings), settings, beyond=ended - 1)
        jobs.stop(jobs.get(job.id, settings), settings).join()
        assert jobs.get(job.id, settings).status == "stopped"
    finally:
        for job in jobs.list_all(settings):
            control._kill_all(job)
        until(lambda: subprocess.run(["umount", str(small)], capture_output=True).returncode == 0)


def test_on_a_public_screen_nothing_is_started_or_changed(settings, file):
    job = put_job(settings, ["tune", "kn"], status="stopped")
    public = dataclasses.replace(settings, read_only=True)
    for act in (
        lambda: jobs.start(task_of(["run", "kn"]), public),
        lambda: jobs.stop(job, public),
        lambda: jobs.resume(job, public),
        lambda: jobs.retry(job, public),
        lambda: jobs.delete(job, public),
    ):
        with pytest.raises(ReadOnlyError, match="read-only"):
            act()
    assert jobs.list_all(public) == [job]


EARLIER = '{"title": "Tune", "command": ["tune", "kn"], "made": 1.0}'  # as versions until 2026 wrote it
QUEUED = {"status": "queued", "queued": 1.0}
ODD_STATES = {
    "empty": "",
    "cut off": "{",
    "a list": "[]",
    "nothing in it": "{}",
    "another type": '{"status": 3}',
    "no text": "\x00",
    "nested": "[" * 100_000,
    "of an earlier version": EARLIER,
    "an unknown status": json.dumps(QUEUED | {"status": "paused"}),
    "odd progress": json.dumps(QUEUED | {"progress": {"what": "x", "done": "much", "total": 3}}),
    "no progress": json.dumps(QUEUED | {"progress": [1]}),
    "an odd message": json.dumps(QUEUED | {"message": ["x"]}),
    "an odd time": json.dumps(QUEUED | {"began": "today"}),
    "an odd answer": json.dumps(QUEUED | {"answer": "x"}),
    "an odd process": json.dumps(QUEUED | {"pid": "x"}),
}


@pytest.mark.parametrize("broken", ODD_STATES.values(), ids=ODD_STATES)
@pytest.mark.parametrize("name", [state.SPEC, state.STATE])
def test_a_damaged_folder_is_named_takes_nothing_else_down_and_can_be_deleted(settings, call, broken, name):
    whole, damaged = (put_job(settings, ["run", "kn"], status="done") for _ in range(2))
    (damaged.folder / name).write_text(broken)
    found = {job.id: job for job in jobs.list_all(settings)}
    assert found[whole.id] == whole
    odd = found[damaged.id]
    assert odd.status == "unreadable"
    assert name in odd.message and "Delete it, and start it again" in odd.message and "\n" not in odd.message
    assert not (odd.is_alive or odd.is_resumable or odd.is_repeatable)
    assert {job["id"]: job["status"] for job in call("jobs")[1]["jobs"]}[odd.id] == "unreadable"
    jobs.delete(odd, settings)
    assert jobs.list_all(settings) == [whole]


@pytest.mark.parametrize("name", [state.SPEC, state.STATE, state.EVENTS, state.LOG])
@pytest.mark.parametrize("kind", ["missing", "folder", "loop", "garbage"])
def test_each_file_of_a_job_may_be_anything(settings, name, kind):
    job = put_job(settings, ["train", "cnn"], status="done")
    file = job.folder / name
    file.unlink(missing_ok=True)
    if kind == "folder":
        file.mkdir()
    elif kind == "loop":
        file.symlink_to(file)
    elif kind == "garbage":
        file.write_bytes(bytes(range(256)))
    (read,) = jobs.list_all(settings)
    assert read.status == ("unreadable" if name in (state.SPEC, state.STATE) else "done")
    assert not read.is_resumable
    if read.status == "unreadable":
        for again in (jobs.resume, jobs.retry):
            with pytest.raises(JobError, match="Delete it, and start it again"):
                again(read, settings)
    assert read.events() == [] and isinstance(read.log(), str)
    if name == state.LOG and kind in ("folder", "loop"):
        assert "log.txt cannot be read" in read.log()
    if name == state.STATE:  # what it is of is still known
        assert read.task == job.task


def test_a_state_of_a_later_version_is_read(settings):
    job = put_job(settings, ["run", "kn"], status="done", mood="good")
    assert jobs.list_all(settings) == [job]


@pytest.mark.parametrize("line", ["[]", "3", '"epoch"', "{}", '{"kind": 3}', "[" * 100_000])
def test_an_event_that_is_none_costs_no_other(settings, line):
    job = put_job(settings, ["run", "kn"], status="done")
    with open(job.folder / state.EVENTS, "a") as file:
        file.write(f"{line}\n")
    state.add_event(job.folder, "epoch", loss=0.5)
    assert [event["kind"] for event in job.events()] == ["epoch"]


@pytest.mark.skipif(not state.BOOT_ID.exists(), reason="other systems record when a process began by the clock alone")
def test_a_job_runs_on_when_somebody_sets_the_clock(settings, monkeypatch):
    job = mine(settings, ["tune", "kn"], status="running")
    state.write_state(job.folder, **state.identity(os.getpid()))
    at_the_time = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: at_the_time(process) + 3)
    assert jobs.get(job.id, settings).status == "running"
    with pytest.raises(JobError, match="is running"):
        jobs.delete(job, settings)


@pytest.mark.skipif(not state.BOOT_ID.exists(), reason="other systems have no such number")
@pytest.mark.parametrize("other", ["another-boot {ticks}", "{boot} 1"])
def test_a_process_of_another_boot_or_another_start_is_no_job(settings, other):
    job = mine(settings, ["tune", "kn"], status="running")
    now = state.identity(os.getpid())
    boot, ticks = now["process"].split()
    state.write_state(job.folder, **now | {"process": other.format(boot=boot, ticks=ticks)})
    assert jobs.get(job.id, settings).status == "interrupted"


def no_process(*_, **__):
    raise OSError(12, "Cannot allocate memory")


def no_room(*_, **__):
    raise OSError(28, "No space left on device")


FAULTS = {  # what fails at a start, by what, and what is said
    "process": (subprocess, "Popen", no_process, "No process can be started .Cannot allocate memory"),
    "state": (state, "write_state", no_room, "No space left on device"),
    "spec": (control.json, "dumps", no_room, "No space left on device"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_start_that_fails_leaves_nothing(settings, monkeypatch, fault):
    where, what, fails, says = FAULTS[fault]
    with monkeypatch.context() as patched, pytest.raises(JobError, match=says):
        patched.setattr(where, what, fails)
        jobs.start(task_of(["run", "nothing"]), settings)
    assert [one.name for one in (settings.workspace / "jobs").iterdir()] == [".lock"]
    assert not [p for p in psutil.process_iter() if str(settings.workspace) in " ".join(_command(p))]


def test_a_resume_that_fails_leaves_the_job_as_it_was(settings, monkeypatch):
    job = put_job(settings, ["tune", "kn"], status="stopped", message="Stopped. What was done is kept")
    with monkeypatch.context() as patched, pytest.raises(JobError, match="No process can be started"):
        patched.setattr(subprocess, "Popen", no_process)
        jobs.resume(job, settings)
    assert jobs.list_all(settings) == [job]


def test_what_a_start_left_that_was_killed_is_removed_by_the_next(settings):
    left = settings.workspace / "jobs" / ".20260101-000000-abcd"
    left.mkdir(parents=True)
    job = jobs.start(task_of(["run", "nothing"]), settings)
    assert not left.exists()
    becomes(job, settings, "failed")


def test_a_line_cut_off_costs_no_other_event(settings):
    job = put_job(settings, ["run", "kn"], status="done")
    state.add_event(job.folder, "epoch", loss=0.5)
    with open(job.folder / state.EVENTS, "a") as file:
        file.write('{"kind": "epo')
    assert [event["kind"] for event in job.events()] == ["epoch"]


def test_what_cannot_be_done_is_one_clear_line(settings):
    with pytest.raises(JobError, match="There is no job 'none'"):
        jobs.get("none", settings)
    done = put_job(settings, ["run", "kn"], status="failed")
    with pytest.raises(JobError, match="run always starts from the beginning"):
        jobs.resume(done, settings)
    running = mine(settings, ["run", "kn"], status="running")
    with pytest.raises(JobError, match="is running: stop it before you delete it"):
        jobs.delete(running, settings)


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_a_number_of_jobs_that_cannot_be(monkeypatch, value):
    monkeypatch.setenv("SER_MAX_JOBS", value)
    with pytest.raises(SettingsError, match="give a whole number of 1 or more"):
        Settings.from_environment()


def test_time_left_comes_from_the_pace_of_this_step(settings, monkeypatch):
    job = mine(settings, ["extract"], status="running")
    now = 1000.0
    monkeypatch.setattr(job_worker.time, "time", lambda: now)
    report = job_worker.Report(job.folder)
    report.progress("Extracting", 500, 1000, unit="clip")  # known from before
    now = 1010.0
    report.progress("Extracting", 600, 1000, unit="clip")
    progress = jobs.get(job.id, settings).progress
    assert progress.seconds_left == pytest.approx(40.0)
    assert progress.far == "clip 600 of 1,000"


def test_the_shell_does_the_same(settings, file, capsys):
    def ask(*words):
        status = cli.main(["jobs", *words, "--json"])
        return status, json.loads(capsys.readouterr().out.splitlines()[-1])

    job = moves(jobs.start(task_of(tuning(file, trials=400)), settings), settings)
    (listed,) = ask()[1]["jobs"]
    assert (listed["id"], listed["kind"], listed["subject"]) == (job.id, "tune", "kn")
    assert listed["command"] == tuning(file, trials=400)
    assert jobs.get(job.id, settings).progress.far.startswith("trial ")
    assert ask("stop", job.id)[1]["jobs"][0]["status"] == "stopped"
    assert "log" in ask("show", job.id)[1]
    assert ask("resume", job.id)[1]["jobs"][0]["status"] in ("queued", "running")
    assert ask("stop", job.id)[0] == 0
    assert ask("delete", job.id)[0] == 0
    assert jobs.list_all(settings) == []
    assert cli.main(["jobs", "show", job.id]) == 2
    assert cli.main(["jobs", "stop"]) == 2


def test_only_who_started_a_job_and_a_shell_change_it(settings):
    job = put_job(settings, ["tune", "kn"], status="stopped", owner="me")
    for change in (jobs.stop, jobs.resume, jobs.retry, jobs.delete):
        with pytest.raises(JobError, match=f"{job.id} was started in another browser.*ser_core jobs stop {job.id}"):
            change(job, settings, by="somebody else")
    jobs.delete(job, settings, by="me")
    assert jobs.list_all(settings) == []
    job = put_job(settings, ["tune", "kn"], status="stopped", owner="me")
    jobs.delete(job, settings)
    assert jobs.list_all(settings) == []


def test_a_job_of_nobody_in_particular_is_everybodys(settings):
    jobs.delete(put_job(settings, ["run", "kn"], status="done"), settings, by="somebody")
    assert jobs.list_all(settings) == []


def test_a_visitor_starts_only_a_few_jobs_at_a_time(settings):
    for number in range(control.MAX_OF_ONE):
        mine(settings, ["tune", f"{number}"], status="queued", owner="me")
    stopped = put_job(settings, ["tune", "kn"], status="stopped", owner="me")
    with pytest.raises(JobError, match=f"{control.MAX_OF_ONE} jobs of yours run or wait already"):
        jobs.start(task_of(["run", "kn"]), settings, owner="me")
    with pytest.raises(JobError, match="jobs of yours"):
        jobs.retry(stopped, settings, by="me")
    with pytest.raises(JobError, match="jobs of yours"):
        jobs.resume(stopped, settings, by="me")


def test_all_visitors_together_start_only_so_many_jobs(settings, monkeypatch):
    monkeypatch.setattr(control, "MAX_OF_ALL", 3)
    for number in range(3):
        mine(settings, ["tune", f"{number}"], status="queued", owner=f"visitor {number}")
    with pytest.raises(JobError, match="3 jobs run or wait already: this server is busy"):
        jobs.start(task_of(["run", "kn"]), settings, owner="me")


def test_those_of_one_network_start_half_of_what_others_leave(settings, monkeypatch):
    monkeypatch.setattr(control, "MAX_OF_ALL", 12)
    monkeypatch.setattr(control, "_begin", lambda _: None)
    for number in range(6):  # as of a browser without cookies: with each page another visitor
        jobs.start(task_of(["tune", f"{number}"]), settings, owner=f"page {number}", network="stranger")
    with pytest.raises(JobError, match="6 jobs that were started at your place run or wait already"):
        jobs.start(task_of(["run", "kn"]), settings, owner="page 6", network="stranger")
    for number in range(control.MAX_OF_ONE):  # however little is left, as many as one visitor may have
        jobs.start(task_of(["run", f"{number}"]), settings, owner=f"pupil {number}", network="school")
    with pytest.raises(JobError, match="4 jobs that were started at your place"):
        jobs.start(task_of(["run", "kn"]), settings, owner="pupil", network="school")
    jobs.start(task_of(["run", "kn"]), settings)


def test_who_started_a_job_is_kept_with_it(settings, monkeypatch):
    monkeypatch.setattr(control, "_begin", lambda _: None)
    assert jobs.start(task_of(["run", "kn"]), settings, owner="me").owner == "me"
    (spec,) = settings.workspace.glob("jobs/*/spec.json")
    assert json.loads(spec.read_text())["owner"] == "me"
