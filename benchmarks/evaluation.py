"""What intervals cost: those of accuracy, UAR and macro F1 from 1,000 resamples of each of 20 runs that ship, beside
scikit-learn's own scores of each resample of one run.

python -m benchmarks.evaluation
"""

import time

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, recall_score

from ser_core import evaluation
from ser_core.results import runs
from ser_core.settings import Settings

RUNS = 20


def main() -> None:
    found = runs.list_all(Settings.from_environment().stores)
    tests = [run.part("test") for run in found if run.protocol == "study"][:RUNS]
    start = time.perf_counter()
    ours = [evaluation.intervals(test) for test in tests]
    done = time.perf_counter()
    theirs = plain_intervals(tests[0])
    plain = time.perf_counter() - done
    a_run = (done - start) / len(tests)
    print(f"{evaluation.RESAMPLES:,} resamples of {len(tests[0])} clips, accuracy, UAR and macro F1")
    print(f"  ours, {len(tests)} runs: {done - start:.2f} s ({a_run:.3f} s a run)")
    print(f"  scikit-learn, one run: {plain:.2f} s, {plain / a_run:.0f} times as long")
    apart = max(abs(np.subtract(ours[0][name], theirs[name])).max() for name in theirs)
    print(f"  ends of the intervals differ by at most {apart:.1e}")


def plain_intervals(rows) -> dict[str, tuple[float, float]]:
    """The same by plain calls, with the same drawings."""
    named, truth = evaluation.named_and_true(rows)
    draws = np.random.default_rng(0).integers(len(rows), size=(evaluation.RESAMPLES, len(rows)))
    options = {"average": "macro", "zero_division": 0}
    works = {
        "accuracy": accuracy_score,
        "uar": lambda truth, named: recall_score(truth, named, labels=np.unique(truth), **options),
        "macro_f1": lambda truth, named: f1_score(truth, named, **options),
    }
    return {
        name: tuple(np.percentile([score(truth[drawn], named[drawn]) for drawn in draws], [2.5, 97.5]))
        for name, score in works.items()
    }


if __name__ == "__main__":
    main()
