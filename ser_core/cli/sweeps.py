"""`sweep`: the experiments of a file, planned and run."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from ser_core import durations
from ser_core.cli.screen import complain, print_table, progress, say, score
from ser_core.experiments import sweeps


def sweep(options, settings):
    """Plan the combinations of a file, and run those that do not exist yet."""
    if not options.plan:
        settings.require_writable("sweep")
    asked = sweeps.read(sweeps.read_file(options.file), settings, from_shell=options.report is None)
    plan = sweeps.plan(asked, settings, jobs=options.jobs)
    answer = {"file": str(options.file), "plan": _plan_answer(plan)}
    if not options.json:
        _show_plan(plan)
    if options.plan:
        return answer, 0, lambda: None
    outcomes = []
    try:
        with _steps(options) as advance:
            for outcome in sweeps.carry_out(plan, settings, jobs=options.jobs, progress=advance):
                outcomes.append(outcome)
                if outcome.fault:
                    complain(f"{outcome.combination.title} failed: {outcome.fault}")
    except KeyboardInterrupt:
        number = sum(outcome.run is not None for outcome in outcomes)
        complain(f"{number} of {len(plan.to_run)} runs were made and are kept. The same command makes the others")
        raise
    made = [outcome.run for outcome in outcomes if outcome.run]
    failed = [outcome for outcome in outcomes if outcome.fault]
    table = sweeps.ranked([*plan.there, *made])
    rows = json.loads(table.to_json(orient="records"))
    answer |= {
        "made": [run.id for run in made],
        "failed": [one.combination.choices | {"reason": one.fault} for one in failed],
        "table": rows,
    }

    def show():
        _show_table(rows)
        if failed:
            say(f"{len(failed)} failed:")
        for one in failed:
            say(f"  {one.combination.title}: {one.fault}")

    return answer, 2 if failed else 0, show


@contextmanager
def _steps(options) -> Iterator[Callable[[str, str, float, int], None]]:
    """A progress bar for each step in turn, as `sweeps.carry_out` reports them."""
    with ExitStack() as bars:
        now: dict = {}

        def advance(what: str, unit: str, done: float, total: int) -> None:
            if now.get("what") != what:
                bars.close()
                now.update(what=what, bar=bars.enter_context(progress(what, unit, options)))
            now["bar"](done, total)

        yield advance


def _plan_answer(plan) -> dict:
    return {
        "runs": len(plan.combinations) - len(plan.impossible),
        "exist": len(plan.there),
        "to_run": len(plan.to_run),
        "seconds": round(plan.seconds, 1),
        "unknown": plan.unknown,
        "combinations": [
            one.choices | {"run": one.run.id if one.run else None, "seconds": one.seconds, "fault": one.fault}
            for one in plan.combinations
        ],
    }


def _show_plan(plan) -> None:
    rows = []
    for one in plan.combinations:
        state = "left out" if one.fault else f"exists: {one.run.id}" if one.run else "to run"
        about = "" if not one.is_to_run else "unknown" if one.seconds is None else durations.in_words(one.seconds)
        rows.append((*one.choices.values(), state, about))
    columns = ["model", "features", "augmentation", "preset", "protocol", "seed", "state", "about"]
    print_table("What the file asks for", columns, rows)
    for reason, number in plan.reasons.items():
        say(f"Left out ({number}): {reason}")
    say(plan.in_words)


def _show_table(rows: list[dict]) -> None:
    tests = dict.fromkeys((row["protocol"], row["clips"]) for row in rows)
    for protocol, clips in tests:
        of_test = [row for row in rows if (row["protocol"], row["clips"]) == (protocol, clips)]
        first = {row["recipe"]: row["run"] for row in reversed(of_test)}  # the mean of its seeds stands beside it
        shown = []
        for row in of_test:
            is_first = row["seeds"] > 1 and first[row["recipe"]] == row["run"]
            shown.append(
                (
                    row["label"],
                    score(row["accuracy"]),
                    f"{row['low']:.3f} to {row['high']:.3f}",
                    score(row["uar"]),
                    score(row["mean"], row["deviation"]) if is_first else "",
                    f"{row['seconds']:.1f}",
                )
            )
        of_clips = f", clips {clips}" if len({clips for _, clips in tests}) > 1 else ""
        what = "emotions" if of_test[0]["kind"] == "emotion" else "classes"
        columns = ["run", "accuracy", "95% interval", "UAR", "mean ± deviation of seeds", "s"]
        print_table(f"{protocol}{of_clips}: accuracy of {what}, the best first", columns, shown)
        if len(first) > 1:
            say(
                "The best of several on the same test clips is in part luck. Whether two differ: "
                f"ser compare --protocol {protocol} --pairs RUN RUN"
            )
