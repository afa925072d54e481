"""`compare`: all runs of a protocol beside the original study's results, or tests of their differences."""

import json
from collections import Counter
from pathlib import Path

from ser_core import evaluation
from ser_core.cli.screen import complain, print_table, say, score
from ser_core.errors import ModelError
from ser_core.evaluation import paired_tests, protocols
from ser_core.features import tables
from ser_core.prediction import model_store
from ser_core.results import citations, comparison, differences, gaps, runs


def compare(options, settings):
    """List the runs of a protocol beside the original results, or test whether some of them differ."""
    protocol = protocols.get(options.protocol)
    kind = options.kind or protocol.usual_kind
    for name, value, there in (
        ("kind", kind, tuple(evaluation.KINDS)),
        ("format", options.format, ("table", *comparison.FORMATS)),
    ):
        if value not in there:
            raise ModelError(f"There is no {name} {value!r}; there is {', '.join(there)}")
    every, unreadable = runs.read_all(settings.stores)
    for one in (*unreadable, *model_store.read_all(settings.stores)[1]):
        complain(str(one))
    test = f"{options.protocol}{runs.HEARD}{options.heard}" if options.heard else options.protocol
    found = [run for run in every if run.test == test]
    if not found:
        heard = f" --heard {options.heard}" if options.heard else ""
        way = "--test-on MANIFEST" if protocols.corpus_of(protocol.name) else f"--protocol {options.protocol}{heard}"
        raise ModelError(f"There is no run under {test} yet. Make one: python -m ser_core run MODEL {way}")
    if options.bibtex:
        text = citations.bibtex(comparison.find(options.pairs, found) if options.pairs else found)
        return {"bibtex": text}, 0, lambda: say(text.rstrip())
    verdicts: list[str] = []
    if options.pairs:
        name, show = "pairs", _show_pairs
        table, verdicts = differences.named_pairs(options.pairs, found, kind=kind)
        title = f"{protocol.title}: who is right where the other is not"
    elif options.by:
        name, show = "gaps", _show_gaps
        clips = tables.read(Path(options.features) if options.features else settings.feature_table)
        table = gaps.table(found, options.by, kind, clips=clips)
        if without := len(found) - table["run"].nunique():
            complain(
                f"Left out {without} runs: {options.by} is the same of all their clips, or not known. --features names "
                "the table that they were run on"
            )
        title = f"{protocol.title}: gaps of accuracy by {options.by}"
    else:
        name, show = "runs", _show_runs
        table = comparison.table(found, protocol=test, kind=kind, sizes=model_store.sizes(settings.stores))
        if len(table) < len(found):
            complain(f"Left out {len(found) - len(table)} runs of emotions alone: --kind emotion lists them, too")
        original = "; orig.: the original study" * bool(table["original_test_accuracy"].notna().any())
        title = f"{protocol.title}{original}; * shipped with the project"
    answer = {name: json.loads(table.to_json(orient="records")), "kind": kind}
    if verdicts:
        answer["verdicts"] = verdicts
    answer["unreadable"] = [{"run": one.id, "reason": one.reason, "shipped": one.shipped} for one in unreadable]

    def say_it():
        if options.format != "table":
            print(comparison.written(table, options.format), end="")
            return
        show(answer[name], title)
        for verdict in verdicts:
            say(f"{verdict}.")

    return answer, 0, say_it


def _show_runs(rows: list[dict], title: str) -> None:
    several = len({row["corpus"] for row in rows}) > 1
    shown = [
        (
            row["label"] + " *" * row["shipped"],
            row["corpus"] * several,
            score(row["original_cv_accuracy"]),
            score(row["cv_accuracy"], row["cv_deviation"]),
            score(row["original_test_accuracy"]),
            score(row["test_accuracy"]),
            f"{row['test_low']:.3f}-{row['test_high']:.3f}",
            score(row["uar"]),
            score(row["ua"], row["ua_deviation"]),
            score(row["train_accuracy"]),
            str(row["test_clips"]),
            "" if row["seconds"] is None else f"{row['seconds']:.1f}",
        )
        for row in rows
    ]
    columns = [
        "model",
        "corpus",
        "CV5 orig.",
        "CV5",
        "test orig.",
        "test",
        "95%",
        "UAR",
        "UA of folds",
        "train",
        "clips",
        "s",
    ]
    print_table(title, columns, shown)
    if several:
        say("Scores on different corpora say nothing of which model is better.")


def _show_pairs(rows: list[dict], title: str) -> None:
    shown = [
        (
            row["first"],
            row["second"],
            str(row["only_first"]),
            str(row["only_second"]),
            f"{row['difference']:+.3f}",
            f"{row['low']:+.3f} to {row['high']:+.3f}",
            _p(row["p"]),
            _p(row["corrected"]),
            score(row["smallest"]),
        )
        for row in rows
    ]
    columns = ["A", "B", "only A", "only B", "A - B", "95%", "p", "p corrected", "smallest found"]
    print_table(title, columns, shown)
    say(f"p and 95% interval: {differences.WHY[rows[0]['over']]}. p corrected: for the number of pairs.")
    if any(row["smallest"] is not None for row in rows):
        say("Smallest found: the true difference that is found in 80 of 100 such experiments.")


def _show_gaps(rows: list[dict], title: str) -> None:
    """A line for each run, with its largest gap: those with an interval, then the others, the largest first."""
    largest: dict[str, dict] = {}
    for row in sorted(rows, key=lambda row: (row["p"] is None, -abs(row["gap"]))):
        largest.setdefault(row["run"], row)
    shown = [
        (
            row["label"],
            f"{row['value']} less {row['than']}",
            str(row["clips"]),
            str(row["speakers"]),
            score(row["accuracy"]),
            score(row["others"]),
            f"{row['gap']:+.3f}",
            "" if row["p"] is None else f"{row['low']:+.3f} to {row['high']:+.3f}",
            "" if row["p"] is None else _p(row["p"]),
        )
        for row in largest.values()
    ]
    columns = ["model", "clips of", "clips", "speakers", "accuracy", "others", "gap", "95%", "p"]
    print_table(title, columns, shown)
    say("Means, intervals and p are over speakers. p is not corrected for the number of rows.")
    if len(rows) > len(largest):
        most = max(Counter(row["run"] for row in rows).values())
        say(f"Each run's largest of {most} gaps; chosen so, its p is too small. All of them: --format markdown or csv.")


def _p(value: float) -> str:
    return paired_tests.in_words(value).removeprefix("p = ").removeprefix("p ")
