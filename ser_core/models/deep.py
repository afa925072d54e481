"""The networks: which builder each takes, what it sees of a clip, and its presets. TensorFlow is not loaded for that.

Where the study gives a number (optimiser, rate, batch) the default has it; dropout and epochs, which it does not give,
were chosen on a part of the training clips.
"""

import dataclasses
from dataclasses import dataclass, field

from ser_core.errors import ModelError
from ser_core.models.model import OWN, VOICES, Model, SavedVote

VERSION = "networks-1"  # Part of every run of a network: raise it when `networks` gives other numbers.
OPTIONS = {  # what can be chosen, and the lowest and highest value that makes sense
    "epochs": (1, 1000),
    "batch_size": (2, 512),
    "learning_rate": (1e-6, 10),
    "optimizer": None,
    "dropout": (0, 0.9),
    "l1": (0, 1),
    "l2": (0, 1),
    "augment": None,
    "validation": (0, 0.5),
    "patience": (1, 1000),
}
CNN2D = {
    "optimizer": "adam",
    "learning_rate": 0.003,
    "batch_size": 16,
    "epochs": 60,
    # The steps shrink to nothing in the last epoch, so there is none to choose: it learns from all clips.
    "decay": True,
    "validation": 0.0,
    "patience": 60,
    "dropout": 0.2,
    "smoothing": 0.1,
    "augment": True,
}
STUDIED = {"optimizer": "sgd", "learning_rate": 0.01, "batch_size": 16}


@dataclass(frozen=True)
class Network(Model):
    """A network of `networks.BUILDERS` on an input of `features.inputs`."""

    network: str
    sees: dict[str, str]  # preset -> input; "default" for those that are not named
    tuned: dict[str, dict] = field(default_factory=dict)  # preset -> how tuning found it, as `presets.Preset` tells

    def input(self, preset: str) -> str:
        return self.sees.get(preset, self.sees["default"])

    def build(self, preset: str, seed: int):
        return self.make(self.presets[preset], seed)

    def make(self, parameters: dict, seed: int, *, plain: bool = False):
        """An unfitted classifier of any parameters; what it standardises stands in its first layers."""
        from ser_core.models.networks import NetworkClassifier

        return NetworkClassifier(self.network, seed=seed, **parameters)

    def with_options(self, preset: str, options: dict) -> "Network":
        """This network with a preset `own`: that preset, but for these options.

        Raises
        ------
        ModelError
            If an option's value makes no sense.
        """
        for name, value in options.items():
            if name not in OPTIONS:
                raise ModelError(f"There is no option {name!r}; there is {', '.join(OPTIONS)}")
            low, high = OPTIONS[name] or (value, value)
            if not low <= value <= high:
                raise ModelError(f"{as_option(name)} {value:g} is out of bounds: give {low:g} to {high:g}")
        if options.get("augment") and self.input(preset) != "frames":
            raise ModelError(f"{self.key} cannot learn from changed copies: that takes log-mel frames (cnn2d)")
        sees = {**self.sees, OWN: self.input(preset)}
        own = self.presets[preset] | options
        return dataclasses.replace(self, presets=self.presets | {OWN: own}, sees=sees)


def as_option(name: str) -> str:
    """An option as the command line has it."""
    return f"--{name.replace('_', '-')}"


def _backbone(key: str, name: str) -> Network:
    about = f"{name} knows a million photographs; small layers on top of it learn to read pictures of sound."
    presets = {"default": STUDIED | {"epochs": 60, "dropout": 0.5}}
    return Network(key, f"{name} on mel pictures", "deep", about, presets, "head", {"default": key})


MODELS = (
    Network(
        "cnn",
        "1-D CNN on components",
        "deep",
        "Eight convolutions and three dense layers on the principal components of the 180 features.",
        {"default": STUDIED | {"epochs": 60, "dropout": 0.3}},
        "cnn",
        {"default": "study"},
    ),
    _backbone("vgg16", "VGG16"),
    _backbone("vgg19", "VGG19"),
    _backbone("resnet50", "ResNet50"),
    _backbone("inception", "Inception v3"),
    _backbone("mobilenet", "MobileNet v2"),
    Network(
        "rnn",
        "RNN",
        "deep",
        "Two recurrent layers that read timbre and notes frame by frame, forwards and backwards.",
        {
            "default": {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 32, "epochs": 40, "dropout": 0.3},
            # Its 180 numbers are means over time: in their order there is nothing to follow.
            "study": STUDIED | {"epochs": 20, "dropout": 0.3},
        },
        "rnn",
        {"default": "sequence", "study": "study"},
    ),
    SavedVote(
        "v_cnn_vgg16",
        "Vote: cnn + vgg16",
        "deep",
        "The mean of what the 1-D CNN and VGG16 say, three parts to two.",
        {"default": {"weights": {"cnn": 3, "vgg16": 2}}},
    ),
    Network(
        "cnn2d",
        "2-D CNN on log-mel",
        "deep",
        "Our small convolutional network on the sound's own picture, taught with louder, noisier and cut-up copies.",
        {"default": CNN2D, VOICES: CNN2D | {"voices": 0.1}},
        "cnn2d",
        {"default": "frames"},
    ),
)
KEYS = tuple(model.key for model in MODELS)
