"""`compare`: every run beside the original study's numbers, or whether runs differ."""

import json

from ser_core.cli.screen import complain, print_table, say, score


def add(command) -> None:
    """Add `compare` to the command line."""
    sub = command("compare", compare, "every run under a protocol, shipped and own, beside the original numbers")
    sub.add_argument("--protocol", default="study", metavar="P", help="who was tested on what (default: study)")
    sub.add_argument(
        "--kind", default="class", help="what had to be named: class (16), emotion (8) or gender (default: class)"
    )
    sub.add_argument(
        "--pairs",
        nargs="+",
        metavar="RUN",
        help="two runs or more, as the table calls them or by id: does each pair differ? (McNemar, corrected)",
    )
    sub.add_argument("--format", default="table", help="table, csv, latex or markdown (default: table)")


def compare(options, settings):
    """Print every run of a protocol beside the original numbers, or whether some runs differ."""
    from ser_core import evaluation
    from ser_core.errors import ModelError
    from ser_core.evaluation import protocols
    from ser_core.prediction import model_store
    from ser_core.results import comparison, differences, runs

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
    found = [run for run in every if run.protocol == options.protocol]
    if not found:
        raise ModelError(
            f"There is no run under {options.protocol} yet. Make one: python -m ser_core run MODEL --protocol "
            f"{options.protocol}"
        )
    if options.pairs:
        table, verdicts = differences.named_pairs(options.pairs, found, kind=options.kind)
        answer = {"pairs": json.loads(table.to_json(orient="records")), "verdicts": verdicts}
    else:
        sizes = model_store.sizes(settings.stores)
        table = comparison.table(found, protocol=options.protocol, kind=options.kind, sizes=sizes)
        answer, verdicts = {"runs": json.loads(table.to_json(orient="records"))}, []
    answer["unreadable"] = [{"run": one.id, "reason": one.reason, "shipped": one.shipped} for one in unreadable]

    def show():
        if options.format != "table":
            print(comparison.written(table, options.format), end="")
            return
        if options.pairs:
            _show_pairs(answer["pairs"], f"{protocol.title}: who is right where the other is not")
            for said in verdicts:
                say(f"{said}.")
        else:
            _show_runs(answer["runs"], f"{protocol.title}; then: the original study; * ships with the project")

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
            f"{row['seconds']:.1f}",
        )
        for row in rows
    ]
    columns = ["model", "CV5 then", "CV5", "test then", "test", "95 %", "UAR", "train", "clips", "s"]
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
    print_table(title, ["A", "B", "only A", "only B", "A less B", "95 %", "p"], shown)
