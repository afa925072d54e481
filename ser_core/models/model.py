"""What a model is here: a name, presets, and how a classifier is made of them. Making one loads what it needs."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

from ser_core.errors import ModelError

OWN = "own"  # the preset of options that someone chose
FUNCTIONALS = "functionals"  # the preset that sees the second feature set
INSIDE = "tuned-inside"  # the end of presets whose parameters are looked for inside each fold
TRIALS_INSIDE = 15  # a fold, of what ships
VOICES = "voices"  # the preset that learns each clip in other voices, too


@dataclass(frozen=True)
class Model:
    """A model that can be run.

    `presets["default"]` holds our own parameters, `presets["study"]` the original authors' where they had the model.
    """

    key: str
    name: str
    family: str  # "classical", "ensemble" or "deep"
    about: str  # one sentence for someone who meets it for the first time
    presets: dict[str, dict]

    def build(self, preset: str, seed: int):
        """An unfitted classifier, with all that it fits inside it."""
        raise NotImplementedError

    def parameters(self, preset: str) -> dict:
        """All that a preset sets."""
        return self.presets[preset]

    def input(self, preset: str) -> str:
        """What it sees of a clip, of `features.inputs`: `study`, the 180 features, unless the preset says otherwise."""
        return preset if preset in (FUNCTIONALS, VOICES) else "study"


@dataclass(frozen=True)
class SingleModel(Model):
    """A classifier behind a view of the features."""

    view: str  # of `views.VIEWS`
    classifier: Callable[[dict, int], object]  # parameters, seed -> an unfitted classifier
    tuned: dict[str, dict] = field(default_factory=dict)  # preset -> how tuning found it, as `presets.Preset` tells

    def build(self, preset: str, seed: int):
        plain = preset == "study" or self.tuned.get(preset, {}).get("space") == "study"
        return self.make(self.presets[preset], seed, plain=plain, features=self.input(preset))

    def make(self, parameters: dict, seed: int, *, plain: bool = False, features: str = "study"):
        """An unfitted classifier of any parameters; a `plain` one sees what the study's models saw."""
        from ser_core.models import preprocessing

        return preprocessing.behind(self.view, self.classifier(parameters, seed), plain=plain, features=features)


@dataclass(frozen=True)
class TwoQuestions(Model):
    """Gender and emotion are two questions: some fits of one single model, put together by a classifier of
    `hierarchy`."""

    base: SingleModel
    together: str

    def parameters(self, preset: str) -> dict:
        """All that a preset sets, the single model's parameters too."""
        return self.presets[preset] | {"base": {self.base.key: self.base.parameters(self._of_base(preset))}}

    def build(self, preset: str, seed: int):
        preset_of_base = self._of_base(preset)
        return self.make(self.base.presets[preset_of_base], seed, self.input(preset), **self.presets[preset])

    def make(self, parameters: dict, seed: int, features: str = "study", **options):
        """An unfitted classifier of any parameters of the single model."""
        from ser_core.models import hierarchy

        return getattr(hierarchy, self.together)(self.base.make(parameters, seed, features=features), **options)

    def _of_base(self, preset: str) -> str:
        return preset if preset in (FUNCTIONALS, VOICES) else "default"


@dataclass(frozen=True)
class Vote(Model):
    """A soft vote: the mean of its members' probabilities, weighted by `presets[...]["weights"]`."""

    members: dict[str, SingleModel]

    def parameters(self, preset: str) -> dict:
        """All that a preset sets, the members' parameters too."""
        members = {key: member.parameters(preset) for key, member in self.members.items()}
        return self.presets[preset] | {"members": members}

    def build(self, preset: str, seed: int):
        from sklearn.ensemble import VotingClassifier

        from ser_core.models import preprocessing

        weights = self.presets[preset]["weights"]
        seen = {member.view for member in self.members.values()}
        if len(seen) == 1:  # the members see the same, so it is made once for all
            bare = [(key, member.classifier(member.presets[preset], seed)) for key, member in self.members.items()]
            vote = VotingClassifier(bare, voting="soft", weights=[weights[key] for key in self.members])
            return preprocessing.behind(seen.pop(), vote, plain=preset == "study", features=self.input(preset))
        whole = [(key, member.build(preset, seed)) for key, member in self.members.items()]
        return VotingClassifier(whole, voting="soft", weights=[weights[key] for key in self.members])


@dataclass(frozen=True)
class SavedVote(Model):
    """A weighted mean of what two runs said: made of their saved predictions, in the order of `presets`' weights."""

    of_presets: dict[str, str] = field(default_factory=dict)  # member -> its preset; "default" where none is named

    def preset_of(self, member: str) -> str:
        """The preset of a member's run."""
        return self.of_presets.get(member, "default")

    def with_weight(self, weight: float) -> "SavedVote":
        """This vote with a preset `own`, in which the first member weighs so much of 1.

        Raises
        ------
        ModelError
            If that is no share.
        """
        if not 0 <= weight <= 1:
            raise ModelError(f"--weight {weight:g} is out of bounds: give 0 to 1")
        first, second = self.presets["default"]["weights"]
        own = {"weights": {first: weight, second: round(1 - weight, 12)}}
        return dataclasses.replace(self, presets=self.presets | {OWN: own})

    def build(self, preset: str, seed: int):
        members = " and ".join(self.presets[preset]["weights"])
        raise ModelError(
            f"{self.key} is not fitted: it is made of the runs of {members}. python -m ser_core run {self.key}"
        )
