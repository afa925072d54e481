"""Our search space with pruning, and each of the two alone, against the study's space without pruning.

    python -m benchmarks.tuning [MODEL...] [--seconds S]

Every arm gets the same time on one core, on the shipped table, with the same sampler and seed; all arms run one after
the other in one run. Told are trials an hour (pruned ones count: they are judged), folds fitted an hour, and the best
mean accuracy over the five folds of the training part.
"""

import argparse
import tempfile

from rich.console import Console
from rich.table import Table

from ser_core.features import tables
from ser_core.settings import Settings
from ser_core.tuning import results, search, studies

ARMS = (("study", "none"), ("study", "median"), ("ours", "none"), ("ours", "wilcoxon"), ("ours", "median"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["xgb", "mlp"])
    parser.add_argument("--seconds", type=float, default=120, help="of each arm (default: 120)")
    options = parser.parse_args()
    table = tables.read(Settings.from_environment().feature_table)
    shown = Table("model", "space", "pruner", "trials", "pruned", "trials/h", "folds/h", "best CV5", box=None)
    for model in options.models:
        for space, pruner in ARMS:
            with tempfile.TemporaryDirectory() as folder:
                url = f"sqlite:///{folder}/studies.sqlite"
                plan = studies.Plan(model, space=space, pruner=pruner)
                study = studies.create(plan, url, table, trials=100_000)
                search.work(study.study_name, url, table, timeout_s=options.seconds)
                rows = results.table(study)
                ended = rows[rows["state"].isin(["complete", "pruned", "fail"])]
                hours = (ended["ended"].max() - ended["began"].min()).total_seconds() / 3600
                pruned = int((ended["state"] == "pruned").sum())
                folds = ended["fold_scores"].str.len().sum()
                best = results.best(study)
                numbers = (len(ended), pruned, round(len(ended) / hours), round(folds / hours))
                shown.add_row(model, space, pruner, *map(str, numbers), f"{best.value:.4f}" if best else "none")
    Console().print(shown)


if __name__ == "__main__":
    main()
