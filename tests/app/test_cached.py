"""What is made of runs is kept for all sessions, until a run is made again."""

from ser_core.ui import cached
from tests.made_runs import by_chance, changed, run


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
