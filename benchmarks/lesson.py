"""A lesson: thirty pupils join a class and answer ten clips each, while their teacher watches; the server is killed.

    nice python -m benchmarks.lesson [PUPILS] [SECONDS A CLIP] [BROWSERS]

First on the database alone, as fast as it goes. Then on the app as `make app` starts it: the teacher and the pupils
speak Streamlit's protocol, each over a socket of their own; of the pupils, some sit at real browsers instead. When half
of the answers are in, the server is killed (SIGKILL) and started again, and the pupils go on from the addresses of
their pages; browsers come back by themselves. Says whether every answer that was taken is there once, how long an
answer took until the page was whole again (of browsers, until the answer was counted), and how long a refresh of the
teacher's screen took.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # as the server does

import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from playwright.sync_api import TimeoutError as NotSeen
from playwright.sync_api import sync_playwright
from psutil import Process
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed

from benchmarks.visitors import Visitor, processor_s
from ser_core.classroom.room import Teacher
from ser_core.classroom.rules import Store
from ser_core.corpus.labels import EMOTION_NAMES
from ser_core.settings import PROJECT
from tests.e2e.browsing import click
from tests.e2e.conftest import FLAGS, PHONE, wait_for

PASSWORD = "correct horse battery"
CLIPS = 10
REFRESH_S = 2.0
LOST = (ConnectionClosed, OSError)  # what a pupil sees of a server that is gone; a timeout is an OSError


class Person(Visitor):
    """Somebody in a class; the page's address is kept, as a browser does."""

    runs = 0  # of pages and of parts of pages, by all

    def run(self, *states: WidgetState) -> None:
        Person.runs += 1
        super().run(*states)

    def _receive(self) -> ForwardMsg:
        message = super()._receive()
        kind = message.WhichOneof("type")
        if kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.fragment = message.auto_rerun.fragment_id
        return message

    def fill(self, submit: str, **values: str) -> None:
        """Fill in a form by the first words of its fields' labels, and send it."""
        fields = {one.text_input.label: one.text_input.id for one in self.shown if one.HasField("text_input")}
        states = [
            WidgetState(id=next(key for label, key in fields.items() if label.startswith(name)), string_value=value)
            for name, value in values.items()
        ]
        (button,) = (one.button.id for one in self.shown if one.button.label == submit)
        self.run(*states, WidgetState(id=button, trigger_value=True))

    def refresh(self) -> None:
        """What a browser does by itself every two seconds."""
        state = ClientState(
            query_string=self.query,
            page_name=self.name,
            page_script_hash=self.page,
            fragment_id=self.fragment,
            is_auto_rerun=True,
        )
        Person.runs += 1
        self._send(BackMsg(rerun_script=state))
        while not self._receive().HasField("script_finished"):
            pass

    @property
    def clips_answered(self) -> int:
        """How many clips the page says are answered; all, when it says nothing of clips any more."""
        bars = [one.progress.text for one in self.shown if one.HasField("progress")]
        return int(bars[0].split()[0]) if bars else CLIPS


class Server:
    """The app on one port and one workspace, which can be killed and started again."""

    def __init__(self, folder: Path):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address, self.workspace = f"http://127.0.0.1:{self.port}", folder / "workspace"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)],
            cwd=PROJECT,
            env=os.environ | {"SER_WORKSPACE": str(self.workspace)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self.address, self.process, seconds=300)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Pupil:
    """A pupil who answers clip after clip, and comes back when the server has gone."""

    def __init__(self, number: int, server: Server, code: str, leaves: ExitStack):
        self.number, self.server, self.leaves = number, server, leaves
        self.person = Person(server.address, f"class={code}", leaves, "join")
        self.person.fill("Join", Nickname=f"Pupil {number}")
        self.taken, self.took_s, self.came_back = {}, [], 0

    def answer_all(self, a_clip_s: float, is_up: threading.Event) -> None:
        """Answer every clip, whatever happens to the server."""
        pick = random.Random(self.number)
        self.again(is_up)
        while (clip := self.person.clips_answered + 1) <= CLIPS:
            time.sleep(a_clip_s * pick.uniform(0.5, 1.5))
            emotion = pick.choice(EMOTION_NAMES)
            try:
                self.person.click(emotion.capitalize())
                start = time.perf_counter()
                self.person.click("Certain")
                self.took_s.append(time.perf_counter() - start)
                if self.person.clips_answered == clip:
                    self.taken[clip] = emotion
            except LOST:
                self.came_back += 1
                self.again(is_up)

    def again(self, is_up: threading.Event) -> None:
        """Open the page by its address, as a browser does when the server is there again."""
        while True:
            is_up.wait()
            try:
                self.person = Person(self.server.address, self.person.query, self.leaves, "join")
                return
            except LOST:
                time.sleep(1)


class PupilAtBrowser:
    """The same in a phone's browser, which comes back by itself."""

    def __init__(self, number: int, server: Server, code: str):
        self.number, self.address = number, f"{server.address}/join?class={code}"
        self.taken, self.took_s, self.came_back = {}, [], 0

    def answer_all(self, a_clip_s: float, is_up: threading.Event) -> None:
        """Join, and answer every clip, whatever happens to the server."""
        program = shutil.which("chromium") or shutil.which("google-chrome")
        with sync_playwright() as play, play.chromium.launch(executable_path=program, args=FLAGS) as browser:
            page = browser.new_page(viewport=PHONE)
            page.set_default_timeout(60_000)
            page.on("websocket", self.connected)
            page.goto(self.address)
            page.get_by_role("textbox", name="Nickname").fill(f"Pupil {self.number}")
            click(page, "Join")
            page.wait_for_selector("text=of 10 answered")
            self.answer_on(page, a_clip_s)

    def connected(self, _socket) -> None:
        """Count the times after the first."""
        self.came_back += bool(self.taken)

    def answer_on(self, page, a_clip_s: float) -> None:
        """Look how far the page says that one is, and answer the next clip; once more where that was not counted."""
        pick = random.Random(self.number)
        main = page.get_by_test_id("stMain")
        while (clip := int(page.get_by_text("of 10 answered").first.inner_text().split()[0]) + 1) <= CLIPS:
            page.wait_for_timeout(1000 * a_clip_s * pick.uniform(0.5, 1.5))
            emotion = pick.choice(EMOTION_NAMES)
            try:
                main.get_by_role("button", name=emotion.capitalize()).click()
                page.wait_for_selector(f"[data-testid=stBaseButton-primary]:has-text('{emotion.capitalize()}')")
                start = time.perf_counter()
                main.get_by_role("button", name="Certain").click()
                page.wait_for_selector(f"text={clip} of 10 answered")
                self.took_s.append(time.perf_counter() - start)
                self.taken[clip] = emotion
            except NotSeen:
                self.came_back += 1


def database_alone(pupils: int) -> None:
    """Everybody at once on the database, without pages."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(pupils) as pool:
        store = Store(Path(folder) / "classes.sqlite")
        teacher = store.open_class(PASSWORD)
        seated = list(pool.map(lambda number: store.join(teacher.code, f"Pupil {number}"), range(pupils)))
        store.start_round(teacher, "7", EMOTION_NAMES, CLIPS)

        def answer(task) -> float:
            start = time.perf_counter()
            store.answer(task[0], 1, task[1], "sad", 0.5)
            return time.perf_counter() - start

        tasks = [(one, clip) for clip in range(1, CLIPS + 1) for one in seated]
        took_s = list(pool.map(answer, tasks))
        refresh_s = [timed(lambda: store.seats(teacher)) for _ in range(50)]
        assert len(store.answers(teacher)) == len(tasks)
        print(f"database alone, {pupils} at once: an answer {in_ms(took_s)}; who has answered {in_ms(refresh_s)}")
        store.close()


def timed(what) -> float:
    start = time.perf_counter()
    what()
    return time.perf_counter() - start


def in_ms(seconds: list[float]) -> str:
    return "median {:.0f} ms, p95 {:.0f} ms".format(*1000 * np.quantile(seconds, [0.5, 0.95]))


def lesson(pupils: int, a_clip_s: float, browsers: int) -> None:
    """The whole lesson, through pages."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as leaves:
        server = Server(Path(folder))
        leaves.callback(lambda: server.kill())
        teacher = Person(server.address, "", leaves, "teach")
        teacher.fill("Open a class", A=PASSWORD)
        code = teacher.query.partition("class=")[2]
        store = Store(server.workspace / "classes.sqlite")
        key: Teacher = store.enter(code, PASSWORD)
        with ThreadPoolExecutor(pupils) as pool:
            start = time.perf_counter()
            at_sockets = range(1, pupils - browsers + 1)
            seated = list(pool.map(lambda number: Pupil(number, server, code, leaves), at_sockets))
            print(f"{len(at_sockets)} pupils joined in {time.perf_counter() - start:.0f} s")
            at_browsers = [PupilAtBrowser(number, server, code) for number in range(pupils - browsers + 1, pupils + 1)]
            teacher.click("Start")
            is_up = threading.Event()
            is_up.set()
            start, before, runs = time.perf_counter(), processor_s(Process(server.process.pid)), Person.runs
            work = [pool.submit(one.answer_all, a_clip_s, is_up) for one in (*seated, *at_browsers)]
            refresh_s = watch(teacher, until=lambda: len(store.answers(key)) >= pupils * CLIPS / 2)
            used_s, runs = processor_s(Process(server.process.pid)) - before, Person.runs - runs
            half_s, taken = time.perf_counter() - start, len(store.answers(key))
            is_up.clear()
            server.kill()
            server.start()
            is_up.set()
            print(f"killed and started again when {taken} answers were in, after {half_s:.0f} s")
            teacher = Person(server.address, f"class={code}", leaves, "teach")
            teacher.fill("Come back", **{"Its code": code, "Its password": PASSWORD})
            refresh_s += watch(teacher, until=lambda: all(one.done() for one in work))
            for one in work:
                one.result()
        took_s = [second for one in seated for second in one.took_s]
        seen_s = [second for one in at_browsers for second in one.took_s]
        everybody = [*seated, *at_browsers]
        found = store.answers(key)
        lost = doubled = 0
        for one in everybody:
            own = found[found["nickname"] == f"Pupil {one.number}"]
            doubled += int(own["clip"].duplicated().sum())
            lost += sum(own.loc[own["clip"] == clip, "answer"].tolist() != [said] for clip, said in one.taken.items())
        print(
            f"{len(found)} answers of {pupils} pupils in {time.perf_counter() - start:.0f} s: {lost} lost, "
            f"{doubled} doubled"
        )
        print(f"{sum(one.came_back > 0 for one in everybody)} pupils lost the server and came back")
        print(f"until the page was whole after an answer: {in_ms(took_s)}")
        if browsers:
            print(f"until one of {browsers} browsers showed that it was counted: {in_ms(seen_s)}")
        print(f"a refresh of the teacher's screen: {in_ms(refresh_s)}")
        each = f", {1000 * used_s / runs:.0f} ms for each of {runs} times that a page, or a part of it, was made"
        print(
            f"processor time of the server until it was killed: {used_s:.0f} s in {half_s:.0f} s"
            f"{'' if browsers else each}"
        )
        store.close()


def watch(teacher: Person, until) -> list[float]:
    """Refresh the teacher's screen every two seconds; how long each took (s)."""
    took_s = []
    while not until():
        took_s.append(timed(teacher.refresh))
        time.sleep(REFRESH_S)
    return took_s


def main(pupils: str = "30", a_clip_s: str = "12", browsers: str = "5") -> None:
    database_alone(int(pupils))
    lesson(int(pupils), float(a_clip_s), int(browsers))


if __name__ == "__main__":
    main(*sys.argv[1:])
