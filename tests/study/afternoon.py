"""A researcher's afternoon, as a notebook would be: EMO-DB, an estimator and embeddings of one's own, and comparisons.

Run outside the checkout: python afternoon.py EMO-DB RAVDESS, two folders of a few dozen clips.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ser_core import corpus, evaluation, experiments
from ser_core.corpus import manifest
from ser_core.experiments import other_corpus
from ser_core.features import elsewhere, model_input, registry, tables
from ser_core.models.foreign import own_code
from ser_core.results import comparison, differences, gaps, imported, runs
from ser_core.settings import Settings

EMODB, RAVDESS = sys.argv[1:]
settings = Settings.from_environment()

# %% The corpora, and a manifest that can be edited
print({name: files for _, name, files in corpus.known_in(EMODB)})
manifest.write([corpus.index(EMODB)], Path("emodb.csv"))
emodb = corpus.index("emodb.csv")
print(emodb.clips["emotion"].value_counts().to_dict())

# %% openSMILE's features, and embeddings that were made elsewhere (here: noise, with a trace of the emotion)
egemaps = registry.get("egemaps")
table = tables.extract(emodb, settings.workspace, features=egemaps, jobs=1).table
values = np.random.default_rng(1).normal(size=(len(emodb.clips), 8))
values[:, 0] += emodb.clips["emotion"].astype("category").cat.codes
embeddings = pd.DataFrame(values, columns=[f"e{number}" for number in range(8)])
embeddings.assign(file=[Path(path).name for path in emodb.clips["path"]]).to_csv("embeddings.csv", index=False)
own = elsewhere.table("embeddings.csv", emodb.clips, settings)

# %% An estimator of one's own on both, leaving one speaker out
logistic = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
first, second = (
    experiments.run(own_code(logistic, name="mine:logistic", features=key), clips, protocol="loso", jobs=1).run.own
    for key, clips in (("egemaps", table), (tables.features_of(own).key, own))
)
print(first.folds["test"]["each"])

# %% The same with plain scikit-learn
here = first.part("test").set_index("clip")
plain = cross_val_predict(
    logistic, tables.matrix(table, egemaps), table["emotion"], groups=table["speaker"], cv=LeaveOneGroupOut()
)
named, _ = evaluation.named_and_true(here, "emotion")
assert dict(zip(here.index, named, strict=True)) == dict(zip(table["stem"], plain, strict=True))
uar = recall_score(table["emotion"], plain, average="macro")
assert abs(first.scores["uar"] - uar) < 1e-9
print(f"UAR {uar:.3f} here and in scikit-learn")

# %% Several seeds of a model that depends on them
forests = [
    experiments.run(
        own_code(RandomForestClassifier(20), name="mine:forest", features="egemaps", seed=seed),
        table,
        protocol="loso",
        jobs=1,
    ).run.own
    for seed in range(3)
]
print(pd.DataFrame([run.scores for run in forests])[["test_accuracy", "uar"]].agg(["mean", "std"]))

# %% Cross-corpus, both ways
ravdess = tables.extract(corpus.index(RAVDESS), settings.workspace, features=egemaps, jobs=1).table
across = []
for trained, place in ((table, RAVDESS), (ravdess, "emodb.csv")):
    other = other_corpus.read(place, trained)
    seen, tested = (model_input.load(clips, settings, features="egemaps", jobs=1) for clips in (trained, other.clips))
    made = experiments.run_on(logistic, trained, other, features=seen, tested=tested).own
    print(made.protocol, made.scores["shared_emotion_uar"], len(made.part(evaluation.OTHER)), "clips of other emotions")
    across.append(made)

# %% Predictions that were made elsewhere (here: the first forest's)
rows = forests[0].part("test")
theirs = pd.DataFrame({name: rows[f"p_{name}"] for name in evaluation.classes(rows)})
theirs.assign(clip=rows["clip"], truth=rows["truth"]).to_csv("theirs.csv", index=False)
third = imported.read(Path("theirs.csv"), table, "loso").own
assert third.scores["uar"] == forests[0].scores["uar"]

# %% Kept, read again, compared
for run in (first, second, third, *forests, *across):
    runs.save(run, settings.workspace)
found = [run for run in runs.list_all(settings.stores) if run.protocol == "loso"]
assert len(found) == 6
columns = ["label", "test_accuracy", "test_low", "test_high", "uar", "ua", "ua_deviation"]
print(comparison.table(found, protocol="loso", kind="emotion")[columns].round(3).to_string(index=False))
pairs, verdicts = differences.named_pairs([first.id, second.id], found, kind="emotion")
assert pairs["units"].tolist() == [emodb.clips["speaker"].nunique()]
print(verdicts)
print(gaps.table(found, "gender", "emotion").round(3).to_string(index=False))
texts = gaps.table(found, "text", "emotion", clips=table)
assert set(texts["run"]) == {run.id for run in found} and set(texts["value"]) <= set(table["text"])
print("The afternoon is done")
