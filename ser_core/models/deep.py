"""The networks: builder, features and presets of each. Importing it does not load TensorFlow.

Defaults are the original paper's where it gives them (optimiser, learning rate, batch size); dropout and epochs, which
it does not give, were chosen on a part of the training clips.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from ser_core.errors import ModelError
from ser_core.models import layers
from ser_core.models.layers import Layers
from ser_core.models.model import Member, Model, Preset, SavedVote
from ser_core.models.recipe import Recipe

VERSION = "networks-1"  # Saved with every run of a network: raise it when a change in `networks` changes numbers.
OPTIMIZERS = {  # key -> what it does
    "sgd": "SGD (stochastic gradient descent) goes a step downhill, with momentum in the direction of the steps before",
    "adam": "Adam gives each weight a step of its own, from the mean and the size of its last gradients",
    "rmsprop": "RMSprop gives each weight a step of its own, from the size of its last gradients alone",
}
OPTIONS = {  # parameters that can be set one by one -> lowest and highest sensible value
    "epochs": (1, 1000),
    "batch_size": (2, 512),
    "learning_rate": (1e-6, 10),
    "optimizer": None,
    "momentum": (0.0, 0.99),
    "dropout": (0, 0.9),
    "l1": (0, 1),
    "l2": (0, 1),
    "augment": None,
    "validation": (0, 0.5),
    "patience": (1, 1000),
    "layers": None,  # bounds of each network: see `layers`
}
FRAMES = ("frames", "within-clip-frames")  # the features that can be changed anew in each epoch
CNN2D = {
    "optimizer": "adam",
    "learning_rate": 0.003,
    "batch_size": 16,
    "epochs": 60,
    # The learning rate decays to 0, so the last epoch is kept: no validation split, it trains on all clips.
    "decay": True,
    "validation": 0.0,
    "patience": 60,
    "dropout": 0.2,
    "smoothing": 0.1,
    "augment": True,
}
ORIGINAL_TRAINING = {"optimizer": "sgd", "learning_rate": 0.01, "batch_size": 16}


@dataclass(frozen=True)
class Network(Model):
    """A network of `networks.BUILDERS`.

    Parameters
    ----------
    key, name, family, about, presets
        As `Model` has them.
    network : str
        Key of `networks.BUILDERS`.
    """

    network: str

    trains_in_epochs: ClassVar[bool] = True
    options: ClassVar[dict] = OPTIONS

    def build(self, recipe: Recipe):
        """An unfitted classifier; standardisation is part of its first layers."""
        from ser_core.models.networks import NetworkClassifier

        return NetworkClassifier(self.network, seed=recipe.seed, **recipe.parameters)

    def check(self, recipe: Recipe) -> None:
        """Check that a recipe has the features and the augmentation of one of the presets.

        Raises
        ------
        ModelError
            If not.
        """
        known = {one.features for one in self.presets.values()}
        if recipe.features not in known:
            raise ModelError(f"{self.key!r} sees {' or '.join(sorted(known))}, and not {recipe.features}")
        if recipe.augmentation != _augmentation(recipe.parameters):
            raise ModelError(f"{self.key!r} makes its own copies (--augment): it does not take {recipe.augmentation}")

    def tuned_preset(
        self, parameters: dict, space: str, features: str | None = None, facts: dict | None = None
    ) -> Preset:
        """As `Model.tuned_preset`, with the augmentation that the parameters imply."""
        preset = super().tuned_preset(parameters, space, features, facts)
        return replace(preset, augmentation=_augmentation(parameters))

    def with_options(self, recipe: Recipe, options: dict) -> Recipe:
        """A recipe with some of its options replaced.

        Parameters
        ----------
        recipe : Recipe
        options : dict
            Option -> value, of `OPTIONS`.

        Returns
        -------
        Recipe

        Raises
        ------
        ModelError
            If there is no such option, its value is out of bounds, the optimizer has no momentum, or the model cannot
            learn from augmented clips, or the layers are too many or too large.
        """
        for name, value in options.items():
            if name not in OPTIONS:
                raise ModelError(f"There is no option {name!r}; there is {', '.join(OPTIONS)}")
            bounds = OPTIONS[name]
            if bounds is None:
                continue
            low, high = bounds
            if not low <= value <= high:
                raise ModelError(f"{as_option(name)} {value:g} is out of bounds: give {low:g} to {high:g}")
        if options.get("augment") and recipe.features not in FRAMES:
            raise ModelError(f"{self.key} cannot learn from changed copies: that takes log-mel frames (cnn2d)")
        changed = recipe.with_parameters(recipe.parameters | options)
        if "momentum" in options and changed.parameters["optimizer"] != "sgd":
            raise ModelError(f"{changed.parameters['optimizer']} takes no --momentum: that is of --optimizer sgd")
        if "layers" in changed.parameters:
            self.layers(recipe.features).check(changed.parameters["layers"], changed.parameters["batch_size"])
        return replace(changed, augmentation=_augmentation(changed.parameters))

    def layers(self, features: str) -> Layers:
        """Its hidden layers, and the bounds within which others can be chosen.

        Parameters
        ----------
        features : str
            Key of the feature set that it sees.

        Returns
        -------
        Layers
        """
        return layers.of(self.network, features)


def _augmentation(parameters: dict) -> str:
    """The augmentation that a network's parameters imply."""
    if parameters.get("copies"):
        return "conditions"
    if not parameters.get("augment"):
        return "none"
    return "specaugment+vtlp" if parameters.get("voices") else "specaugment"


def as_option(name: str) -> str:
    """A parameter's name as a command-line option.

    Parameters
    ----------
    name : str
        E.g. "batch_size".

    Returns
    -------
    str
        E.g. "--batch-size".
    """
    return f"--{name.replace('_', '-')}"


def as_value(value) -> str:
    """A parameter's value as the command line takes it.

    Parameters
    ----------
    value : number, str or list of int

    Returns
    -------
    str

    Examples
    --------
    >>> as_value([64, 32]), as_value(0.0010)
    ('64,32', '0.001')
    """
    if isinstance(value, list):
        return layers.as_text(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _network(key: str, name: str, about: str, network: str, **presets: tuple[str, dict]) -> Network:
    """A network whose presets are pairs of a feature set and parameters."""
    made = {
        preset: Preset(
            parameters,
            features,
            preprocessing="internal",
            augmentation=_augmentation(parameters),
            origin="study" if preset == "study" else "default",
        )
        for preset, (features, parameters) in presets.items()
    }
    return Network(key, name, "deep", about, made, network)


def _backbone(key: str, name: str) -> Network:
    about = f"{name} knows a million photographs; small layers on top of it learn to read pictures of sound."
    return _network(
        key, f"{name} on mel pictures", about, "head", default=(key, ORIGINAL_TRAINING | {"epochs": 60, "dropout": 0.5})
    )


MODELS = (
    _network(
        "cnn",
        "1-D CNN on components",
        "Eight convolutions and three dense layers on the principal components of the 180 features.",
        "cnn",
        default=("mean180", ORIGINAL_TRAINING | {"epochs": 60, "dropout": 0.3}),
    ),
    _backbone("vgg16", "VGG16"),
    _backbone("vgg19", "VGG19"),
    _backbone("resnet50", "ResNet50"),
    _backbone("inception", "Inception v3"),
    _backbone("mobilenet", "MobileNet v2"),
    _network(
        "rnn",
        "RNN",
        "Two recurrent layers that read timbre and notes frame by frame, forwards and backwards.",
        "rnn",
        default=(
            "sequence",
            {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 32, "epochs": 40, "dropout": 0.3},
        ),
        # The 180 features are means over time, so their order is no time sequence.
        study=("mean180", ORIGINAL_TRAINING | {"epochs": 20, "dropout": 0.3}),
    ),
    SavedVote(
        "v_cnn_vgg16",
        "Vote: cnn + vgg16",
        "deep",
        "The mean of what the 1-D CNN and VGG16 say, three parts to two.",
        {"default": Preset({"weights": {"cnn": 3, "vgg16": 2}}, features="members", preprocessing="members")},
        {"cnn": Member("mean180"), "vgg16": Member("vgg16")},
    ),
    _network(
        "cnn2d",
        "2-D CNN on log-mel",
        "Our small convolutional network on the sound's own picture, taught with louder, noisier and cut-up copies.",
        "cnn2d",
        default=("frames", CNN2D),
        voices=("frames", CNN2D | {"voices": 0.1}),
    ),
    _network(
        "robust_cnn",
        "Robust 2-D CNN",
        "The same network on what a telephone leaves of a voice, taught with other rooms, noises and voices, too.",
        "cnn2d",
        default=("within-clip-frames", CNN2D | {"copies": True}),
    ),
)
