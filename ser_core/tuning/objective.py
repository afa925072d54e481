"""What one trial does: fit parameters on each fold's training clips, score the others, stop early if pruned."""

import os
import platform
import warnings

import numpy as np
import optuna
import pandas as pd
from threadpoolctl import threadpool_limits

from ser_core import interrupts
from ser_core.corpus.labels import require_classes
from ser_core.evaluation import accuracy, protocols, uar
from ser_core.features import model_input
from ser_core.models import registry, search_spaces
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.settings import Settings


class Objective:
    """The function that a study maximises: mean accuracy over folds, or mean UAR over speaker-independent folds.

    Parameters
    ----------
    facts : dict
        A study's `user_attrs`, as `studies.create` sets them: model, space, features, cv, folds, pruner, seed.
    table : pd.DataFrame
        A feature table. Only the original's training part of it is used.
    """

    def __init__(self, facts: dict, table: pd.DataFrame):
        require_classes(table["label"])
        self.model = registry.get(facts["model"])
        self.space = search_spaces.get(facts["model"], facts["space"])
        self.space_name = facts["space"]
        self.seed = facts["seed"]
        self.by_fold = facts["pruner"] == "wilcoxon"  # it compares single folds, the median pruner running means
        self.folds = protocols.tuning_folds(table, facts["cv"], facts["folds"])
        self.score = uar if facts["cv"] == "actors" else accuracy
        self.feature_set = facts.get("features") or self.model.presets["default"].features
        self.features = model_input.load(table, Settings.from_environment(), features=self.feature_set).values
        self.labels = table["label"].to_numpy(dtype=str)
        # In speaker-independent folds, a network's own validation split is speaker-independent, too.
        is_grouped = self.model.trains_in_epochs and facts["cv"] == "actors"
        self.groups = table["speaker"].to_numpy() if is_grouped else None

    def __call__(self, trial: optuna.Trial) -> float:
        """The mean score of a trial's parameters over the folds."""
        trial.set_user_attr("worker", f"{platform.node()}:{os.getpid()}")
        trial.set_user_attr("fold_scores", scores := [])  # a retried trial still has its old ones
        try:
            parameters = self.space.suggest(trial)
            for step, fold in enumerate(self.folds):
                with interrupts.held(False):
                    scores.append(self._score_on(fold, parameters))
                trial.set_user_attr("fold_scores", scores)
                trial.report(scores[-1] if self.by_fold else float(np.mean(scores)), step)
                if fold is not self.folds[-1] and trial.should_prune():
                    raise optuna.TrialPruned
        except optuna.TrialPruned:
            raise
        except KeyboardInterrupt:
            trial.set_user_attr("stopped", True)  # not because of its parameters: it is retried on resume
            raise
        except Exception as error:
            trial.set_user_attr("reason", f"{type(error).__name__}: {error}"[:500])
            raise
        return float(np.mean(scores))

    def _score_on(self, fold: protocols.Fold, parameters: dict) -> float:
        recipe = self.model.trial_recipe(parameters, self.space_name, self.seed, self.feature_set)
        estimator = EmotionClassifier(self.model.build(recipe))
        options = {} if self.groups is None else {"groups": self.groups[fold.train]}
        # One thread, as in `experiments`: the other cores have workers of their own. Warnings are ignored: parameters
        # that do not converge show in the score.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.fit(self.features[fold.train], self.labels[fold.train], **options)
            predicted = estimator.predict(self.features[fold.held_out])
        return self.score(self.labels[fold.held_out], predicted)
