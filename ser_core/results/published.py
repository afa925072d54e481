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
ORIGINAL_COMPONENTS = 66  # principal components that hold 95 % of the variance of its training clips

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
