"""A model: presets of parameters, and how a classifier is built from a recipe.

Callers never check which kind of model they have: they call its methods.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from sklearn.ensemble import VotingClassifier

from ser_core.corpus.labels import LABELS
from ser_core.errors import ModelError
from ser_core.features import augmentation as augmentations
from ser_core.features import registry as feature_sets
from ser_core.features.feature_set import is_from_elsewhere
from ser_core.models.preprocessing import finds_discriminants, with_preprocessing
from ser_core.models.recipe import Recipe


@dataclass(frozen=True)
class Preset:
    """A named set of parameters, and what they were chosen with.

    Parameters
    ----------
    parameters : dict
    features, preprocessing, augmentation : str
        As a `Recipe` has them: the defaults of a recipe with this preset.
    origin : str
        "default" (ours), "study" (the original authors') or "tuned".
    tuning : dict, optional
        How a study found them: `presets.TunedPreset.facts`.
    """

    parameters: dict
    features: str = "mean180"
    preprocessing: str = "tailored"
    augmentation: str = "none"
    origin: str = "default"
    tuning: dict | None = None


@dataclass(frozen=True)
class Model:
    """A model that can be run.

    Parameters
    ----------
    key, name : str
    family : {"classical", "ensemble", "deep"}
    about : str
        One sentence for readers who are new to it.
    presets : dict of str to Preset
        "default" holds our parameters, "study" the original authors', where they had the model.
    """

    key: str
    name: str
    family: str
    about: str
    presets: dict[str, Preset]

    learns_from_clips: ClassVar[bool] = True  # False for a vote of saved runs
    trains_in_epochs: ClassVar[bool] = False  # True for a network: its training can be watched, stopped and resumed
    fits_any_table: ClassVar[bool] = False  # False where it is made for the features of its presets
    options: ClassVar[dict[str, tuple | None]] = {}  # parameters that can be set one by one -> bounds

    def build(self, recipe: Recipe):
        """Build an unfitted classifier, including everything that is fitted with it.

        Parameters
        ----------
        recipe : Recipe
            Of this model.

        Returns
        -------
        classifier with `fit` and `predict_proba`

        Raises
        ------
        ModelError
            If the model is a vote of saved runs, which is not fitted.
        """
        raise NotImplementedError

    def parameters(self, preset: str) -> dict:
        """All parameters of a preset, including those of the models that it is made of.

        Parameters
        ----------
        preset : str

        Returns
        -------
        dict

        Raises
        ------
        ModelError
            If there is no such preset.
        """
        return self.preset(preset).parameters

    def preset(self, name: str) -> Preset:
        """The preset of that name.

        Parameters
        ----------
        name : str

        Returns
        -------
        Preset

        Raises
        ------
        ModelError
            If there is none.
        """
        if name not in self.presets:
            reason = " (the study did not have this model)" if name == "study" else ""
            raise ModelError(f"Model {self.key!r} has no preset {name!r}{reason}; it has {', '.join(self.presets)}")
        return self.presets[name]

    def recipe(
        self,
        preset: str | None = None,
        *,
        features: str | None = None,
        preprocessing: str | None = None,
        augmentation: str | None = None,
        seed: int = 9,
    ) -> Recipe:
        """A recipe of this model. What is not given is taken from the preset.

        Parameters
        ----------
        preset : str, optional
            If left out, the default preset for these features and this augmentation.
        features, preprocessing, augmentation : str, optional
            As a `Recipe` has them.
        seed : int

        Returns
        -------
        Recipe

        Raises
        ------
        ModelError, FeatureError
            If there is no such preset, feature set or augmentation, or the model cannot learn from it.
        """
        features = features and feature_sets.key_of(features)
        augmentation = augmentation and augmentations.get(augmentation).key
        name = preset or self._preset_for(features, augmentation)
        chosen = self.preset(name)
        recipe = Recipe(
            model=self.key,
            features=features or chosen.features,
            preprocessing=preprocessing or chosen.preprocessing,
            augmentation=augmentation or chosen.augmentation,
            parameters=self.parameters(name),
            preset=name,
            origin=chosen.origin,
            seed=seed,
        )
        self.check(recipe)
        return recipe

    def _preset_for(self, features: str | None, augmentation: str | None) -> str:
        default = self.presets["default"]
        wanted = features or default.features, augmentation or default.augmentation
        for name, one in self.presets.items():
            if (one.features, one.augmentation) == wanted and one.origin == "default":
                return name
        return "default"

    def check(self, recipe: Recipe) -> None:
        """Check that the model can be fitted as a recipe describes.

        Parameters
        ----------
        recipe : Recipe

        Raises
        ------
        ModelError
            If not.
        """
        if recipe.augmentation not in {one.augmentation for one in self.presets.values()}:
            raise ModelError(f"{self.key!r} does not learn from copies by {recipe.augmentation}")
        copies = augmentations.get(recipe.augmentation)
        if copies.copies and is_from_elsewhere(recipe.features):
            raise ModelError(
                f"{self.key!r} learns from copies of each clip ({recipe.augmentation}), of which there are no "
                f"{recipe.features}, since these are not made here: choose another model, such as svm"
            )

    def check_classes(self, classes: Sequence[str]) -> None:
        """Check that the model can learn some classes, before anything is computed.

        Parameters
        ----------
        classes : sequence of str
            As `labels.classes_of` returns them.

        Raises
        ------
        ModelError
            If not.
        """

    def check_clips(self, recipe: Recipe, labels: np.ndarray) -> None:
        """Check that the model can learn from some clips, before anything is computed.

        Parameters
        ----------
        recipe : Recipe
        labels : np.ndarray [shape=(n,), dtype=str]
            The class of each training clip.

        Raises
        ------
        ModelError
            If not.
        """
        if len(there := np.unique(labels)) < 2:
            said = f"all are {there[0]}" if len(there) else "there is none"
            raise ModelError(f"Model {self.key!r} needs training clips of two classes, and {said}")

    def tuned_preset(
        self, parameters: dict, space: str, features: str | None = None, facts: dict | None = None
    ) -> Preset:
        """A preset of parameters that a study found.

        Parameters
        ----------
        parameters : dict
        space : {"ours", "study"}
            The study's search space.
        features : str, optional
            Feature set of the study; the default preset's if left out.
        facts : dict, optional
            `presets.TunedPreset.facts`.

        Returns
        -------
        Preset
        """
        default = self.presets["default"]
        plain = space == "study" and default.preprocessing == "tailored"
        return dataclasses.replace(
            default,
            parameters=parameters,
            features=features or default.features,
            preprocessing="plain" if plain else default.preprocessing,
            origin="tuned",
            tuning=facts,
        )

    def trial_recipe(self, parameters: dict, space: str, seed: int, features: str | None = None) -> Recipe:
        """The recipe of a study's trial.

        Parameters
        ----------
        parameters : dict
        space : {"ours", "study"}
            The study's search space.
        seed : int
        features : str, optional
            Feature set of the study; the default preset's if left out.

        Returns
        -------
        Recipe
        """
        trial = self.tuned_preset(parameters, space, features)
        return self.with_presets({"trial": trial}).recipe("trial", seed=seed)

    def with_weight(self, recipe: Recipe, weight: float) -> Recipe:
        """A recipe in which the first member of a vote has this weight.

        Parameters
        ----------
        recipe : Recipe
        weight : float
            From 0 to 1; the second member has the rest of 1.

        Returns
        -------
        Recipe

        Raises
        ------
        ModelError
            If the model is no vote of two runs, or the weight is not in [0, 1].
        """
        raise ModelError(f"{self.key!r} is no vote of two runs and takes no weight")

    def with_options(self, recipe: Recipe, options: dict) -> Recipe:
        """A recipe with some of a network's options replaced.

        Parameters
        ----------
        recipe : Recipe
        options : dict
            Option -> value, of `options`.

        Returns
        -------
        Recipe

        Raises
        ------
        ModelError
            If the model is no network, or it does not take these options.
        """
        raise ModelError(f"{self.key!r} is no network and takes no {', '.join(options)}")

    def with_presets(self, more: dict[str, Preset]) -> "Model":
        """The model with more presets beside its own.

        Parameters
        ----------
        more : dict of str to Preset

        Returns
        -------
        Model
        """
        return dataclasses.replace(self, presets=self.presets | more)

    @property
    def tuned_as(self) -> str:
        """The key of the model whose search space this one is tuned in."""
        return self.key


class TableModel(Model):
    """A model that is fitted on vectors of named numbers."""

    preprocessings: ClassVar[tuple[str, ...]] = ("plain", "tailored")
    fits_any_table: ClassVar[bool] = True

    def check(self, recipe: Recipe) -> None:
        """As `Model.check`; the features must also be those of a table, and the preprocessing must be known.

        Raises
        ------
        ModelError
            If not.
        """
        super().check(recipe)
        if not feature_sets.is_table(recipe.features):
            able = ", ".join(feature_sets.tables())
            raise ModelError(
                f"{self.key!r} learns from tables of numbers, such as {able}, and not from {recipe.features}"
            )
        if recipe.preprocessing not in self.preprocessings:
            there = " and ".join(self.preprocessings)
            raise ModelError(f"There is no preprocessing {recipe.preprocessing!r}; there is {there}")


@dataclass(frozen=True)
class SingleModel(TableModel):
    """A classifier behind preprocessing of the features.

    Parameters
    ----------
    key, name, family, about, presets
        As `Model` has them.
    view : {"distance", "forest", "tree"}
        Which preprocessing it gets: see `preprocessing`.
    classifier : callable
        Parameters, seed -> an unfitted classifier.
    least : int
        How many training clips of each class it needs.
    """

    view: str
    classifier: Callable[[dict, int], object]
    least: int = 1

    def check_clips(self, recipe: Recipe, labels: np.ndarray) -> None:
        """As `Model.check_clips`; some models need several clips of a class.

        Raises
        ------
        ModelError
            If not.
        """
        super().check_clips(recipe, labels)
        found, counts = np.unique(labels, return_counts=True)
        if counts.min() < self.least:
            raise ModelError(
                f"Model {self.key!r} needs {self.least} training clips of each class, and {found[counts.argmin()]} has "
                f"{counts.min()}. Add clips of it, leave it out, or choose another model, such as krr"
            )
        if counts.max() == 1 and finds_discriminants(self.view, recipe):
            raise ModelError(
                f"Model {self.key!r} needs two training clips of a class, and each class has one. Add clips, or choose "
                "another model, such as krr"
            )

    def build(self, recipe: Recipe):
        """An unfitted pipeline: preprocessing, then the classifier."""
        return with_preprocessing(self.classifier(recipe.parameters, recipe.seed), self.view, recipe)


@dataclass(frozen=True)
class WholeModel(TableModel):
    """A classifier that does its own preprocessing, and learns from copies of clips.

    Parameters
    ----------
    key, name, family, about, presets
        As `Model` has them.
    classifier : callable
        Recipe -> an unfitted classifier.
    """

    preprocessings: ClassVar[tuple[str, ...]] = ("internal",)
    fits_any_table: ClassVar[bool] = False

    classifier: Callable

    def build(self, recipe: Recipe):
        """An unfitted classifier."""
        return self.classifier(recipe)


@dataclass(frozen=True)
class TwoQuestions(TableModel):
    """Gender and emotion as two decisions, each made by fits of one single model.

    Parameters
    ----------
    key, name, family, about, presets
        As `Model` has them.
    base : SingleModel
    together : callable
        A classifier of `hierarchy`: takes an estimator and the preset's parameters.
    needs_gender : bool
        Whether it cannot learn classes that are emotions alone.
    """

    base: SingleModel
    together: Callable
    needs_gender: bool = False

    def check_classes(self, classes: Sequence[str]) -> None:
        """As `Model.check_classes`; a model that needs genders learns the 16 classes alone.

        Raises
        ------
        ModelError
            If not.
        """
        if self.needs_gender and tuple(classes) != LABELS:
            raise ModelError(
                f"Model {self.key!r} tells women from men first, and learns classes of emotion and gender, but some of "
                "these clips have other emotions than the eight or a speaker of unknown gender. Choose "
                f"{self.base.key!r}, which it is made of: it learns any emotions"
            )

    def parameters(self, preset: str) -> dict:
        """All that a preset sets, the single model's parameters too."""
        chosen = self.preset(preset)
        of_base = self.base.recipe(features=chosen.features, augmentation=chosen.augmentation)
        return chosen.parameters | {"base": {self.base.key: of_base.parameters}}

    def build(self, recipe: Recipe):
        """An unfitted classifier of `hierarchy` around the single model."""
        options = dict(recipe.parameters)
        base = options.pop("base")[self.base.key]
        one = self.base.build(dataclasses.replace(recipe, model=self.base.key, parameters=base))
        return self.together(one, **options)

    @property
    def tuned_as(self) -> str:
        """The key of the single model."""
        return self.base.key


@dataclass(frozen=True)
class Vote(TableModel):
    """A soft vote: the mean of its members' probabilities, weighted by its presets' `weights`.

    Parameters
    ----------
    key, name, family, about, presets
        As `Model` has them.
    members : dict of str to SingleModel
    """

    members: dict[str, SingleModel]

    def parameters(self, preset: str) -> dict:
        """All that a preset sets, the members' parameters too."""
        members = {key: member.parameters(preset) for key, member in self.members.items()}
        return self.preset(preset).parameters | {"members": members}

    def build(self, recipe: Recipe):
        """An unfitted vote of its members."""
        weights = [recipe.parameters["weights"][key] for key in self.members]
        parameters = recipe.parameters["members"]
        views = {member.view for member in self.members.values()}
        if len(views) == 1:  # preprocessing that all members share runs once
            bare = [(key, one.classifier(parameters[key], recipe.seed)) for key, one in self.members.items()]
            return with_preprocessing(VotingClassifier(bare, voting="soft", weights=weights), views.pop(), recipe)
        whole = [
            (key, one.build(dataclasses.replace(recipe, model=key, parameters=parameters[key])))
            for key, one in self.members.items()
        ]
        return VotingClassifier(whole, voting="soft", weights=weights)


@dataclass(frozen=True)
class Member:
    """One of the saved runs that a vote combines: what its recipe must have.

    Parameters
    ----------
    features, augmentation, origin : str
        As a `Recipe` has them.
    command : str
        Options of the `run` command that makes such a run.
    """

    features: str = "mean180"
    augmentation: str = "none"
    origin: str = "default"
    command: str = ""

    def fits(self, recipe: Recipe, default: Recipe) -> bool:
        """Whether a run of this recipe can be the member.

        Parameters
        ----------
        recipe : Recipe
        default : Recipe
            The model's default for the member's features and augmentation: a member of origin "default" must have its
            parameters.

        Returns
        -------
        bool
        """
        wanted = (self.features, self.augmentation, self.origin)
        if (recipe.features, recipe.augmentation, recipe.origin) != wanted:
            return False
        return self.origin != "default" or recipe.parameters == default.parameters


@dataclass(frozen=True)
class SavedVote(Model):
    """A weighted mean of two runs, computed from their saved predictions, in the order of its presets' weights.

    Parameters
    ----------
    key, name, family, about, presets
        As `Model` has them.
    members : dict of str to Member
        Model's key -> which of its runs.
    """

    members: dict[str, Member] = field(default_factory=dict)

    learns_from_clips: ClassVar[bool] = False

    def check(self, recipe: Recipe) -> None:
        """Check that the recipe leaves features and augmentation to the members.

        Raises
        ------
        ModelError
            If not.
        """
        if recipe.features != self.presets["default"].features or recipe.augmentation != "none":
            raise ModelError(f"{self.key!r} is made of saved runs, whose features it takes: leave --features out")

    def with_weight(self, recipe: Recipe, weight: float) -> Recipe:
        """As `Model.with_weight`.

        Raises
        ------
        ModelError
            If the weight is not in [0, 1].
        """
        if not 0 <= weight <= 1:
            raise ModelError(f"--weight {weight:g} is out of bounds: give 0 to 1")
        first, second = recipe.parameters["weights"]
        return recipe.with_parameters({"weights": {first: weight, second: round(1 - weight, 12)}})

    def build(self, recipe: Recipe):
        """Raise a `ModelError`, since such a vote is not fitted.

        Raises
        ------
        ModelError
            Always.
        """
        members = " and ".join(recipe.parameters["weights"])
        raise ModelError(
            f"{self.key} is not fitted: it is made of the runs of {members}. python -m ser_core run {self.key}"
        )
