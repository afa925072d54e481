"""Every model that is fitted on a table, on a handful of clips: each works, or says in one line what it lacks."""

import numpy as np
import pandas as pd
import pytest

from ser_core import evaluation, experiments
from ser_core.corpus.labels import label_of
from ser_core.errors import ModelError
from ser_core.features import registry as feature_sets
from ser_core.features.model_input import ModelInput
from ser_core.models import registry

MODELS = [key for key, model in registry.MODELS.items() if model.learns_from_clips and not model.trains_in_epochs]
WOMAN, MAN = ("08", "female"), ("03", "male")
ANY, KNOWN = ("angry", "boredom", "sad"), ("angry", "happy", "sad")
CORPORA = {
    "each emotion once": (ANY, {}, 1),
    "each of the eight once": (KNOWN, {}, 1),
    "fifteen clips each": (ANY, {}, 5),
    "one emotion once": (ANY, {("08", "boredom"): 1}, 3),
    "one emotion missing": (ANY, {("08", "boredom"): 0}, 3),
    "one of the eight missing": (KNOWN, {("08", "happy"): 0}, 3),
}
REFUSED = {
    ("each emotion once", "dt"): "needs two training clips of a class",
    ("each emotion once", "bag"): "needs two training clips of a class",
    ("each emotion once", "svm"): "needs 2 training clips of each class, and angry has 1",
    ("each of the eight once", "dt"): "needs two training clips of a class",
    ("each of the eight once", "bag"): "needs two training clips of a class",
    ("each of the eight once", "svm"): "needs 2 training clips of each class, and angry_",
    ("one emotion once", "svm"): "needs 2 training clips of each class, and boredom has 1",
} | {(corpus, "hier"): "Choose 'krr'" for corpus, (emotions, *_) in CORPORA.items() if emotions == ANY}


def clips(emotions, others: dict, number: int) -> pd.DataFrame:
    """So many clips of each emotion by each of two speakers; `others` of some."""
    rows = [
        (speaker, gender, emotion, label_of(emotion, gender))
        for speaker, gender in (WOMAN, MAN)
        for emotion in emotions
        for _ in range(others.get((speaker, emotion), number))
    ]
    table = pd.DataFrame(rows, columns=["speaker", "gender", "emotion", "label"])
    stems = [f"clip{row}" for row in table.index]
    return table.assign(stem=stems, corpus="tiny", language="de", duration_s=2.0)


def features(recipe, table: pd.DataFrame) -> ModelInput:
    chosen = feature_sets.get(recipe.features)
    values = np.random.default_rng(0).gamma(1.0, size=(len(table), len(chosen.names))).astype(np.float32)
    if recipe.augmentation != "none":
        values = np.stack([values, 1.1 * values], axis=1)
    return ModelInput(chosen.key, recipe.augmentation, "made", values)


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("key", MODELS)
def test_a_model_learns_from_a_handful_of_clips_or_says_what_it_lacks(key, corpus):
    recipe, table = registry.recipe(key), clips(*CORPORA[corpus])
    given = {"protocol": "loso", "features": features(recipe, table), "jobs": 1}
    if (corpus, key) in REFUSED:
        with pytest.raises(ModelError, match=REFUSED[corpus, key]) as error:
            experiments.run(recipe, table, **given)
        assert f"Model '{key}'" in str(error.value) and "\n" not in str(error.value)
    else:
        made = experiments.run(recipe, table, **given).run
        probabilities = evaluation.probabilities(made.predictions)
        assert len(probabilities) == len(table)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_nearest_neighbours_are_all_clips_where_there_are_fewer(weights):
    recipe = registry.recipe("kn").with_parameters({"n_neighbors": 20, "weights": weights})
    values, codes = np.eye(6, 180) * [[1], [1], [1], [2], [2], [2]], np.array([0, 0, 0, 0, 1, 1])
    few, all_of_them = (
        registry.build(recipe.with_parameters(recipe.parameters | {"n_neighbors": number})).fit(values, codes)
        for number in (20, 6)
    )
    np.testing.assert_array_equal(few.predict_proba(values), all_of_them.predict_proba(values))


@pytest.mark.parametrize("key", MODELS)
def test_a_fold_whose_training_clips_are_all_of_one_class_is_named(key):
    table = clips(KNOWN[:2], {("08", "happy"): 0, ("03", "happy"): 2}, 3)
    with pytest.raises(ModelError, match=r"Fold 1 of loso cannot be learned: .* all are angry_female"):
        experiments.run(key, table, protocol="loso", features=features(registry.recipe(key), table), jobs=1)
