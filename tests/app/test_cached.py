"""What is made of runs is kept for all sessions, until a run is made again."""

import threading

from ser_core.ui import cached, line
from tests.app.test_line import Person
from tests.made_runs import by_chance, changed, run
from tests.waiting import until


def test_what_is_made_of_a_run_is_kept_until_the_run_is_made_again():
    made = []

    def best_of(found: list, kind: str) -> str:
        made.append(kind)
        return found[0].id

    kept = cached.kept(best_of)
    first = run(by_chance(1), id="first")
    for found, kind in (([first], "class"), ([changed(first)], "class"), ([first], "gender")):
        assert kept(found, kind) == "first"
    assert made == ["class", "gender"]
    kept([changed(first, made="2026-11-26T00:00:00")], "class")
    assert made == ["class", "gender", "class"]


def test_a_clip_is_decoded_when_it_is_its_turn(settings, monkeypatch):
    file, decoded = next(settings.clips.glob("*.flac")), []
    of_server = line.Line(1)
    monkeypatch.setattr(line, "of_server", lambda: of_server)
    cached._waveform.clear()
    other = Person(of_server)
    visitor = threading.Thread(target=lambda: decoded.append(cached.waveform(file)), daemon=True)
    visitor.start()
    until(lambda: of_server.waiting == 1)
    assert not decoded
    other.leave()
    visitor.join(60)
    assert decoded[0].duration_s > 1
