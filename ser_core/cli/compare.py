"""`compare`: all runs of a protocol beside the original study's results, or tests of their differences."""

import json

from ser_core import evaluation
from ser_core.cli.screen import complain, print_table, say, score
from ser_core.errors import ModelError
from ser_core.evaluation import protocols
from ser_core.prediction import model_store
from ser_core.results import comparison, differences, runs


def compare(options, settings):
    """List the runs of a protocol beside the original results, or test whether some of them differ."""
    protocol = protocols.get(options.protocol)
    for name, value, there in (
        ("kind", options.kind, tuple(evaluation.KINDS)),
        ("format", options.format, ("table", *comparison.FORMATS)),
    ):
        if value not in there:
            raise ModelError(f"There is no {name} {value!r}; there is {', '.join(there)}")
    every, unreadable = runs.read_all(settings.stores)
    for one in unreadable:
        complain(str(one))
    test = f"{options.protocol}{runs.HEARD}{options.heard}" if options.heard else options.protocol
    found = [run for run in every if run.test == test]
    if not found:
        heard = f" --heard {options.heard}" if options.heard else ""
        way = "--test-on MANIFEST" if protocols.corpus_of(protocol.name) else f"--protocol {options.protocol}{heard}"
        raise ModelError(f"There is no run under {test} yet. Make one: python -m ser_core run MODEL {way}")
    if options.pairs:
        table, verdicts = differences.named_pairs(options.pairs, found, kind=options.kind)
        answer = {"pairs": json.loads(table.to_json(orient="records")), "verdicts": verdicts}
    else:
        sizes = model_store.sizes(settings.stores)
        table = comparison.table(found, protocol=test, kind=options.kind, sizes=sizes)
        answer, verdicts = {"runs": json.loads(table.to_json(orient="records"))}, []
        if len(table) < len(found):
            complain(f"Left out {len(found) - len(table)} runs of emotions alone: --kind emotion lists them, too")
    answer["unreadable"] = [{"run": one.id, "reason": one.reason, "shipped": one.shipped} for one in unreadable]

    def show():
        if options.format != "table":
            print(comparison.written(table, options.format), end="")
            return
        if options.pairs:
            _show_pairs(answer["pairs"], f"{protocol.title}: who is right where the other is not")
            for verdict in verdicts:
                say(f"{verdict}.")
        else:
            _show_runs(answer["runs"], f"{protocol.title}; orig.: the original study; * shipped with the project")

    return answer, 0, show


def _show_runs(rows: list[dict], title: str) -> None:
    shown = [
        (
            row["label"] + " *" * row["shipped"],
            score(row["original_cv_accuracy"]),
            score(row["cv_accuracy"]),
            score(row["original_test_accuracy"]),
            score(row["test_accuracy"]),
            f"{row['test_low']:.3f}-{row['test_high']:.3f}",
            score(row["uar"]),
            score(row["train_accuracy"]),
            str(row["test_clips"]),
            "" if row["seconds"] is None else f"{row['seconds']:.1f}",
        )
        for row in rows
    ]
    columns = ["model", "CV5 orig.", "CV5", "test orig.", "test", "95 %", "UAR", "train", "clips", "s"]
    print_table(title, columns, shown)


def _show_pairs(rows: list[dict], title: str) -> None:
    shown = [
        (
            row["first"],
            row["second"],
            str(row["only_first"]),
            str(row["only_second"]),
            f"{row['difference']:+.3f}",
            f"{row['low']:+.3f} to {row['high']:+.3f}",
            f"{row['corrected']:.3f}",
        )
        for row in rows
    ]
    print_table(title, ["A", "B", "only A", "only B", "A - B", "95 %", "p"], shown)
