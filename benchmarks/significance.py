"""Size and power of tests of two models on the same clips, by simulation: sign flips over speakers, the t-test and the
percentile bootstrap over speakers, and McNemar's test over clips.

python -m benchmarks.significance
"""

import numpy as np
from scipy.stats import ttest_1samp

from ser_core.evaluation import mcnemar, mean_interval, paired_tests

EXPERIMENTS = 1000
SPEAKERS = (6, 8, 12, 24)
CLIPS = 60  # of a speaker, on average
DIFFER = 0.3  # share of clips on which one of the two models alone is right
DEVIATION = 0.08  # of speakers, in how much better the first model is


def main() -> None:
    print(f"found different, and true difference inside the 95% interval, of {EXPERIMENTS:,} experiments")
    for difference in (0.0, 0.05):
        for speakers in SPEAKERS:
            rng = np.random.default_rng(speakers)
            made = [outcomes(*experiment(rng, speakers, difference), difference) for _ in range(EXPERIMENTS)]
            shares = {name: np.mean([one[name] for one in made], axis=0) for name in made[0]}
            words = "; ".join(f"{name} {found:.3f}, {inside:.3f}" for name, (found, inside) in shares.items())
            print(f"difference {difference:.2f}, {speakers} speakers: {words}", flush=True)


def experiment(rng: np.random.Generator, speakers: int, difference: float) -> tuple[np.ndarray, np.ndarray]:
    """Of each clip: 1 where the first model alone is right, -1 where the second is, otherwise 0; and its speaker."""
    numbers = rng.integers(CLIPS // 2, 3 * CLIPS // 2, size=speakers)
    better = np.repeat(difference + DEVIATION * rng.normal(size=speakers), numbers)
    drawn = rng.uniform(size=len(better))
    differences = np.select([drawn < (DIFFER + better) / 2, drawn < DIFFER], [1, -1], 0)
    return differences, np.repeat(np.arange(speakers), numbers)


def outcomes(differences: np.ndarray, speakers: np.ndarray, truth: float) -> dict[str, tuple[bool, bool]]:
    """By test: whether it finds a difference, and whether the true one is inside its interval."""
    flips, clips = paired_tests.over_speakers(differences, speakers), paired_tests.over_clips(differences)
    of_t = ttest_1samp(np.bincount(speakers, differences) / np.bincount(speakers), 0)
    assert clips.p == mcnemar(int((differences == 1).sum()), int((differences == -1).sum()))
    intervals = {
        "sign flips": (flips.low, flips.high),
        "t-test": tuple(of_t.confidence_interval()),
        "bootstrap": mean_interval(differences, speakers),
        "McNemar": (clips.low, clips.high),
    }
    return {name: (not low <= 0 <= high, low <= truth <= high) for name, (low, high) in intervals.items()}


if __name__ == "__main__":
    main()
