import numpy as np
import pandas as pd
import pytest
from scipy.stats import permutation_test, ttest_ind

from ser_core import evaluation
from tests.made_runs import CLIPS, answers, by_chance, run

WOMEN = np.array([clip.gender == "female" for clip in CLIPS])
STRONG = np.array([clip.intensity == "strong" for clip in CLIPS])
INDEX = pd.DataFrame({"stem": [clip.stem for clip in CLIPS], "intensity": np.where(STRONG, "strong", "normal")})


def of_speakers(rows) -> pd.DataFrame:
    named, truth = evaluation.named_and_true(rows)
    return rows.assign(right=named == truth)


def test_the_gap_of_genders_is_welchs_over_speakers():
    rows = run(by_chance(1, 0.5) | (WOMEN & by_chance(2, 0.5))).predictions
    (found,) = evaluation.gaps(rows, "gender").itertuples(index=False)
    means = of_speakers(rows).groupby(["gender", "speaker"])["right"].mean()
    theirs = ttest_ind(means["female"], means["male"], equal_var=False)
    assert (found.value, found.than, found.clips, found.speakers) == ("female", "male", WOMEN.sum(), 24)
    assert found.p == pytest.approx(theirs.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval()))
    assert found.gap == pytest.approx(means["female"].mean() - means["male"].mean())


def test_the_gap_of_a_property_of_clips_is_within_speakers():
    rows = run(by_chance(1, 0.6) | (STRONG & by_chance(2, 0.3))).predictions
    (found,) = evaluation.gaps(rows, "intensity", clips=INDEX).itertuples(index=False)
    table = of_speakers(rows).assign(intensity=INDEX["intensity"])
    means = table.groupby(["speaker", "intensity"])["right"].mean().unstack()
    within = (means["normal"] - means["strong"]).to_numpy()
    theirs = permutation_test(
        (within,), np.mean, permutation_type="samples", vectorized=True, n_resamples=20_000, rng=0
    )
    assert found.gap == pytest.approx(within.mean())
    assert found.low < found.gap < found.high
    assert found.p == pytest.approx(theirs.pvalue, abs=0.02)


def test_of_several_values_each_is_beside_all_others():
    table = evaluation.gaps(answers(blur=2.0).part("test"), "emotion", "emotion")
    assert list(table["value"]) == sorted(table["value"])
    assert len(table) == 8
    assert set(table["than"]) == {"all others"}
    assert np.allclose(table["gap"], table["accuracy"] - table["others"])


def test_a_single_speaker_on_a_side_has_a_gap_without_interval():
    some = run(by_chance(1)).predictions
    rows = some[some["speaker"].isin(["01", "02", "04"])]  # one man, two women
    (found,) = evaluation.gaps(rows, "gender").itertuples(index=False)
    assert found.speakers == 3
    assert np.isnan([found.low, found.high, found.p]).all()


def test_a_property_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="'mood'"):
        evaluation.gaps(run(by_chance(1)).predictions, "mood")
