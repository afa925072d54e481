"""Published results, with the protocol that each was obtained under."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OriginalResult:
    """One row of the original study's tables: accuracy on train, in 5-fold cross-validation on train, and on test."""

    key: str
    name: str
    family: str  # "classical", "ensemble" or "deep"
    train_accuracy: float
    cv_accuracy: float | None  # not given for the deep networks
    test_accuracy: float


ORIGINAL_AUTHORS = "Hatfield, Rivas, Gupta, Lange and Deshwal: Speech Emotion Detection (Medium)"
ORIGINAL_CLIPS = 2452  # all of RAVDESS
ORIGINAL_TEST_CLIPS = 491
ORIGINAL_COMPONENTS = 66  # principal components that hold 95% of the variance of its training clips

_ROWS = (
    ("dt", "Decision tree", "classical", 0.74, 0.4309, 0.46),
    ("rf", "Random forest", "classical", 1.00, 0.6394, 0.67),
    ("lgb", "LightGBM", "classical", 1.00, 0.6584, 0.71),
    ("xgb", "XGBoost", "classical", 1.00, 0.6564, 0.73),
    ("mlp", "Multilayer perceptron", "classical", 1.00, 0.7673, 0.83),
    ("kn", "K nearest neighbours", "classical", 1.00, 0.5238, 0.55),
    ("lr", "Logistic regression", "classical", 0.82, 0.6435, 0.68),
    ("v", "Vote: mlp + lgb", "ensemble", 1.00, 0.7648, 0.82),
    ("v2", "Vote: kn + xgb + mlp", "ensemble", 1.00, 0.7675, 0.83),
    ("v3", "Vote: xgb + mlp + rf + lr", "ensemble", 1.00, 0.7506, 0.82),
    ("v4", "Vote: mlp + xgb", "ensemble", 1.00, 0.7689, 0.84),
    ("cnn", "1-D CNN on 66 PCA components", "deep", 1.00, None, 0.68),
    ("vgg16", "VGG16 bottleneck on mel images", "deep", 1.00, None, 0.73),
    ("rnn", "RNN on aggregated features", "deep", 0.19, None, 0.18),
    ("mobilenet", "MobileNet on mel images", "deep", 0.99, None, 0.56),
    ("vgg19_pt", "VGG19 pretrained, on mel images", "deep", 0.99, None, 0.59),
    ("vgg19", "VGG19 on mel images", "deep", 1.00, None, 0.46),
    ("v_cnn_vgg16", "Vote 3 : 2: cnn + vgg16", "deep", 1.00, None, 0.78),
)
ORIGINAL: dict[str, OriginalResult] = {row[0]: OriginalResult(*row) for row in _ROWS}
_CALLED = {"vgg19": "vgg19_pt"}  # model here -> the original's: ours is pretrained; the original has one that is not


def original(model: str) -> OriginalResult | None:
    """The original study's numbers of the model that one here repeats.

    Parameters
    ----------
    model : str

    Returns
    -------
    OriginalResult or None
        None if the original has no such model.

    Examples
    --------
    >>> original("vgg19").test_accuracy  # pretrained
    0.59
    """
    return ORIGINAL.get(_CALLED.get(model, model))


# Reference points for the study's 0.84, both on RAVDESS speech with 8 emotions.
HUMAN_ACCURACY = 0.67  # people, sound alone; as quoted by Luna-Jimenez et al. 2022, Table 1
SVM_UNHEARD_ACTORS_UAR = 0.38  # an RBF SVM on the same 180 features, actors held out (EmoBox folds), measured by us


@dataclass(frozen=True)
class Published:
    """A published result, and the protocol under which it was obtained."""

    system: str
    value: float
    measure: str  # "accuracy", "UAR" (over all clips) or "UA" (mean over folds of UAR), of eight emotions in speech
    protocol: str  # a name in `protocols`; "" if there is none
    source: str
    but: str = ""  # its limitation
    spread: float | None = None  # standard deviation over repeated runs


@dataclass(frozen=True)
class RobustnessTest:
    """A published test of a change of the recording, and how large networks pass it.

    Parameters
    ----------
    change : str
    conditions : tuple of str
        Keys of `audio.conditions` that repeat it here. Where there are several, the published test draws one for each
        clip.
    same : tuple of float
        The share of clips whose predicted emotion stays the same: lowest and highest over networks and corpora.
    uar : tuple of float, optional
        The change of the UAR, likewise; None where it is not published.
    """

    change: str
    conditions: tuple[str, ...]
    same: tuple[float, float]
    uar: tuple[float, float] | None = None


# Four networks (wav2vec 2.0 large, and its robust, VoxPopuli and XLS-R variants), fine-tuned on four emotions of
# MSP-Podcast, on CREMA-D, EMOVO, IEMOCAP, MELD and MSP-Podcast; in rooms on EMOVO, NSC and TIMIT. Read from the pages
# comparison/emotion/1641e15f-1.0.1_ca6bb2f2-1.0.0_63291c59-1.0.0_379bc045-1.0.0_ccf4ed91-1.0.0/robustness_*.
ROBUSTNESS_SOURCE = (
    "audEERING, ser-tests (audeering.github.io/ser-tests); Derington et al. 2023-2025, Testing correctness, fairness, "
    "and robustness of speech emotion recognition models"
)
_SAMPLES = (100, 500, 1_000)  # at 16 kHz
ROBUSTNESS_TESTS: tuple[RobustnessTest, ...] = (
    RobustnessTest("Level, 1 or 2 dB", ("gain-2", "gain-1", "gain+1", "gain+2"), (0.99, 1.00)),
    RobustnessTest("White noise, 35 to 45 dB", ("white-35", "white-40", "white-45"), (0.86, 0.98)),
    RobustnessTest("Beginning cut, 6 to 63 ms", tuple(f"cut-beginning-{n}" for n in _SAMPLES), (0.90, 0.99)),
    RobustnessTest("End cut, 6 to 63 ms", tuple(f"cut-end-{n}" for n in _SAMPLES), (0.97, 1.00)),
    RobustnessTest("Zeros before, 6 to 63 ms", tuple(f"pad-beginning-{n}" for n in _SAMPLES), (0.90, 0.98)),
    RobustnessTest("Zeros after, 6 to 63 ms", tuple(f"pad-end-{n}" for n in _SAMPLES), (0.98, 1.00)),
    RobustnessTest("Low pass, 6.5 to 7.5 kHz", ("low-pass",), (0.96, 0.99)),
    RobustnessTest("High pass, 50 to 150 Hz", ("high-pass",), (0.91, 0.99)),
    RobustnessTest("Clipping, 0.1 to 0.3%", ("clip-0.1", "clip-0.2", "clip-0.3"), (0.97, 1.00)),
    RobustnessTest("A tone, 40 to 50 dB", ("tone",), (0.91, 0.99)),
    RobustnessTest("White noise, 20 dB", ("white-20",), (0.66, 0.91), (-0.08, 0.04)),
    RobustnessTest("Others talking, 20 dB", ("babble-20",), (0.74, 0.95), (-0.06, 0.07)),
    RobustnessTest("In a room", ("room",), (0.74, 0.89)),
    RobustnessTest("By a low-quality phone", ("low-quality-phone",), (0.59, 0.93), (-0.13, 0.02)),
    RobustnessTest("Dull, 3 dB an octave", ("dull",), (0.83, 0.97), (-0.02, 0.03)),
    RobustnessTest("Sharp, 3 dB an octave", ("sharp",), (0.73, 0.94), (-0.04, 0.02)),
)

_EMOBOX = "EmoBox (Ma et al. 2024)"
_LUNA = "Luna-Jimenez et al. 2022"
PUBLISHED: tuple[Published, ...] = (
    Published("Whisper-large-v3", 0.7532, "UA", "emobox", _EMOBOX),
    Published("WavLM-large", 0.7200, "UA", "emobox", _EMOBOX),
    Published("data2vec2-large", 0.7115, "UA", "emobox", _EMOBOX),
    Published("HuBERT-large", 0.7000, "UA", "emobox", _EMOBOX),
    Published("HuBERT-base", 0.6543, "UA", "emobox", _EMOBOX),
    Published("data2vec2-base", 0.6466, "UA", "emobox", _EMOBOX),
    Published("WavLM-base", 0.6156, "UA", "emobox", _EMOBOX),
    Published("data2vec-large", 0.5930, "UA", "emobox", _EMOBOX),
    Published("wav2vec2-base", 0.5433, "UA", "emobox", _EMOBOX),
    Published("data2vec-base", 0.5192, "UA", "emobox", _EMOBOX),
    Published(
        "xlsr-wav2vec2, fine-tuned",
        0.8182,
        "accuracy",
        "luna-jimenez",
        _LUNA,
        "its checkpoint was picked on the test actors",
    ),
    Published("PANNs CNN-14", 0.7658, "accuracy", "luna-jimenez", "Luna-Jimenez et al. 2021"),
    Published("wav2vec2 embeddings + MLP", 0.5653, "accuracy", "luna-jimenez", _LUNA),
    Published(
        "ResLSTM-SA-h64", 0.6232, "UAR", "luna-jimenez", "mean of 10 runs", "it was tuned on those same folds", 0.0119
    ),
)
