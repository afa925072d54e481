"""What a model is here: a name, presets, and how a classifier is made of them. Making one loads what it needs."""

from collections.abc import Callable
from dataclasses import dataclass, field


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
        """What it sees of a clip, of `features.inputs`: `study`, the 180 features, but for some networks."""
        return "study"


@dataclass(frozen=True)
class SingleModel(Model):
    """A classifier behind a view of the features."""

    view: str  # of `views.VIEWS`
    classifier: Callable[[dict, int], object]  # parameters, seed -> an unfitted classifier
    tuned: dict[str, dict] = field(default_factory=dict)  # preset -> how tuning found it, as `presets.Preset` tells

    def build(self, preset: str, seed: int):
        plain = preset == "study" or self.tuned.get(preset, {}).get("space") == "study"
        return self.make(self.presets[preset], seed, plain=plain)

    def make(self, parameters: dict, seed: int, *, plain: bool = False):
        """An unfitted classifier of any parameters; a `plain` one sees what the study's models saw."""
        from ser_core.models import views

        return views.behind(self.view, self.classifier(parameters, seed), plain=plain)


@dataclass(frozen=True)
class GenderFirst(Model):
    """Gender first, then emotion: three fits of one single model."""

    base: SingleModel

    def parameters(self, preset: str) -> dict:
        """All that a preset sets, the single model's parameters too."""
        return self.presets[preset] | {"base": {self.base.key: self.base.parameters("default")}}

    def build(self, preset: str, seed: int):
        from ser_core.models.hierarchy import GenderFirstClassifier

        return GenderFirstClassifier(self.base.build("default", seed), **self.presets[preset])


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

        from ser_core.models import views

        weights = self.presets[preset]["weights"]
        seen = {member.view for member in self.members.values()}
        if len(seen) == 1:  # the members see the same, so it is made once for all
            bare = [(key, member.classifier(member.presets[preset], seed)) for key, member in self.members.items()]
            vote = VotingClassifier(bare, voting="soft", weights=[weights[key] for key in self.members])
            return views.behind(seen.pop(), vote, plain=preset == "study")
        whole = [(key, member.build(preset, seed)) for key, member in self.members.items()]
        return VotingClassifier(whole, voting="soft", weights=[weights[key] for key in self.members])
