"""The words of the field, each with one sentence that a pupil understands."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Term:
    """A word of the field.

    Parameters
    ----------
    word : str
    sentence : str
        What it means, in one or two sentences.
    others : tuple of str
        Other words for it, and other forms of it, such as a plural that is not made with s.
    """

    word: str
    sentence: str
    others: tuple[str, ...] = ()

    @cached_property
    def _pattern(self) -> re.Pattern:
        words = "|".join(re.escape(word) for word in (self.word, *self.others))
        return re.compile(rf"(?<![\w-])(?:{words})s?(?![\w-])", re.IGNORECASE)

    def is_in(self, text: str) -> bool:
        """Whether a text has the word, in any of its forms."""
        return bool(self._pattern.search(text))


GLOSSARY: tuple[Term, ...] = (
    # Clips
    Term("clip", "One short recording: somebody says or sings one sentence."),
    Term("corpus", "A collection of clips with their labels, for example RAVDESS.", ("corpora",)),
    Term("label", "The right answer that is written beside a clip: which emotion the actor was asked to play."),
    Term("class", "One of the answers that a model can choose from.", ("classes",)),
    Term("manifest", "A table that lists the clips of a corpus: file, speaker, emotion."),
    Term("intensity", "How strongly an actor was asked to play the emotion: normal or strong."),
    # Sound
    Term("waveform", "The curve of a sound: how the air pressure rises and falls, moment by moment."),
    Term("sampling rate", "How many numbers a second a recording keeps of the waveform; CDs keep 44,100."),
    Term("pitch", "How high or low a voice is: how often a second the vocal cords close, in hertz (Hz).", ("pitches",)),
    Term("decibel", "A measure of level: 10 dB more is ten times the power, and sounds about twice as loud.", ("dB",)),
    Term(
        "spectrogram",
        "A picture of a sound: time from left to right, low to high frequencies upwards, colour for level.",
    ),
    Term(
        "mel",
        "A scale of pitch on which equal steps sound equal; mel bands are narrow for low and wide for high tones.",
    ),
    Term("MFCC", "Numbers that describe the shape of a spectrum, the timbre: a dull voice and a bright one differ."),
    Term(
        "PLP",
        "Perceptual linear prediction: a few numbers for the timbre, of a spectrum smoothed as hearing does.",
    ),
    Term("filter bank", "A row of filters that divide a sound into bands of frequencies.", ("filterbank",)),
    Term("chroma", "How much energy is in each of the twelve notes C, C sharp, D and so on, whatever the octave."),
    Term("formant", "A frequency that the mouth and throat make stronger; formants tell an a from an i."),
    Term("timbre", "What makes two voices on the same note sound different."),
    Term("noise", "Sound in a recording that is not the voice."),
    Term("SNR", "Signal-to-noise ratio: how many decibels the voice is above the noise."),
    Term(
        "clipping", "A recording that was too loud for its range: the tops of the waveform are cut off.", ("clipped",)
    ),
    Term("recording condition", "What happens to a voice on its way: a telephone, a room, noise, a cheap microphone."),
    # Features and models
    Term("feature", "A number that a program computes from a clip, such as its mean pitch."),
    Term("functional", "A feature that sums up a curve over time: its mean, its spread, its highest value."),
    Term("model", "A program that has learned from examples to give an answer for clips that it has not seen."),
    Term("training clip", "A clip that a model learns from, together with its label."),
    Term("test clip", "A clip that was kept away from a model until it is tested."),
    Term("hyperparameter", "A setting that people choose before a model learns, such as the number of trees."),
    Term("tuning", "The search for good hyperparameters.", ("tune", "tuned")),
    Term("trial", "One set of hyperparameters that was tried while tuning."),
    Term(
        "multilayer perceptron",
        "A small network: layers of numbers, each computed from all numbers of the layer before.",
        ("MLP", "perceptron"),
    ),
    Term(
        "convolutional network",
        "A network that looks for the same small patterns everywhere in a picture or a curve.",
        ("CNN",),
    ),
    Term("random forest", "Many decision trees that vote, each grown on other clips and features."),
    Term(
        "support vector machine",
        "A model that draws the border between classes as far as it can from the nearest clips.",
        ("SVM",),
    ),
    Term("nearest neighbour", "The training clip whose features are most like those of a clip."),
    Term("vote", "Several models that answer together: the mean of their probabilities counts.", ("ensemble",)),
    Term(
        "augmentation",
        "Changed copies of training clips, louder or noisier for example, so that a model learns what does not matter.",
    ),
    Term("epoch", "One pass of a network through all training clips."),
    Term("loss", "A number that says how wrong a model is; training makes it smaller.", ("losses",)),
    Term(
        "overfitting",
        "Learning the training clips by heart: right on them, and wrong on others.",
        ("overfit", "by heart"),
    ),
    Term("dropout", "Switching off some parts of a network at random while it learns, against learning by heart."),
    Term("principal component", "A new feature, mixed from all others, along which the clips differ most.", ("PCA",)),
    # Testing
    Term("accuracy", "The share of clips that are named right.", ("accuracies",)),
    Term("recall", "Of the clips of one emotion, the share that is named right."),
    Term("precision", "Of the clips that are called one emotion, the share that really is."),
    Term("F1", "One number for precision and recall: high only if both are.", ("macro F1",)),
    Term("UAR", "Unweighted average recall: the mean recall of all emotions, so that each counts alike.", ("UA",)),
    Term(
        "confusion matrix",
        "A table of what clips are (rows) and what they were called (columns); right answers are on the diagonal.",
        ("confusion",),
    ),
    Term("chance", "How often one would be right by guessing: one in eight with eight emotions."),
    Term("protocol", "Who is learned from and who is tested on."),
    Term("split", "The division of clips into those to learn from and those to test on."),
    Term("fold", "One of several parts of the clips; each is tested on once, by a model that learned from the others."),
    Term("cross-validation", "Testing on each fold in turn, and taking the mean.", ("CV5", "cross-validated")),
    Term("held out", "Kept away while a model learns, so that the test is honest.", ("held-out", "unheard")),
    Term("speaker-independent", "Tested on people of whom the model has heard nothing."),
    Term(
        "95% interval",
        "The range in which the true value lies in 95 of 100 such tests; the fewer the clips, the wider.",
        ("95%", "confidence interval", "interval"),
    ),
    Term(
        "significant",
        "Hard to explain by luck: if there were no difference, one as large would come in less than 5 of 100 tests.",
        ("p-value", "p =", "significance"),
    ),
    Term(
        "McNemar's test",
        "A test of two models on the same clips; it counts only clips that one of them names right.",
        ("McNemar",),
    ),
    Term("probability", "How sure a model says it is, from 0 to 1.", ("probabilities",)),
    Term("calibration", "Whether a model that says 70% is right in 70 of 100 such cases.", ("calibrated",)),
    Term("coverage", "The share of clips for which a model names an emotion at all."),
    Term("verdict", "Whether an emotion may be named: heard, not sure, unlike what was learned, or no voice."),
    Term(
        "acted emotion",
        "An emotion that somebody plays. What people feel often sounds otherwise, or not at all.",
        ("acted",),
    ),
)


# The terms that each page uses, by the name of its file.
PAGES: dict[str, tuple[str, ...]] = {
    "overview": (
        "clip",
        "class",
        "pitch",
        "mel",
        "MFCC",
        "chroma",
        "timbre",
        "feature",
        "model",
        "training clip",
        "test clip",
        "multilayer perceptron",
        "convolutional network",
        "vote",
        "overfitting",
        "accuracy",
        "F1",
        "UAR",
        "split",
        "fold",
        "cross-validation",
        "held out",
        "95% interval",
        "tuning",
    ),
    "dataset": (
        "clip",
        "corpus",
        "label",
        "intensity",
        "sampling rate",
        "model",
        "split",
        "acted emotion",
    ),
    "sound": (
        "clip",
        "intensity",
        "waveform",
        "sampling rate",
        "pitch",
        "decibel",
        "spectrogram",
        "mel",
        "MFCC",
        "chroma",
        "timbre",
        "noise",
        "recording condition",
        "fold",
    ),
    "features": (
        "clip",
        "pitch",
        "mel",
        "MFCC",
        "PLP",
        "filter bank",
        "chroma",
        "timbre",
        "feature",
        "functional",
        "model",
        "nearest neighbour",
        "principal component",
        "chance",
        "95% interval",
    ),
    "predict": (
        "clip",
        "waveform",
        "pitch",
        "decibel",
        "spectrogram",
        "noise",
        "clipping",
        "recording condition",
        "model",
        "nearest neighbour",
        "vote",
        "chance",
        "95% interval",
        "probability",
        "calibration",
        "verdict",
        "acted emotion",
    ),
    "ears": (
        "clip",
        "label",
        "model",
        "accuracy",
        "confusion matrix",
        "chance",
        "held out",
        "95% interval",
    ),
    "tune": (
        "clip",
        "model",
        "training clip",
        "test clip",
        "hyperparameter",
        "tuning",
        "trial",
        "accuracy",
        "fold",
        "cross-validation",
    ),
    "train": (
        "clip",
        "training clip",
        "convolutional network",
        "augmentation",
        "epoch",
        "loss",
        "overfitting",
        "dropout",
        "accuracy",
    ),
    "run": (
        "clip",
        "class",
        "mel",
        "MFCC",
        "chroma",
        "recording condition",
        "feature",
        "functional",
        "model",
        "test clip",
        "overfitting",
        "accuracy",
        "recall",
        "precision",
        "F1",
        "UAR",
        "confusion matrix",
        "chance",
        "protocol",
        "fold",
        "cross-validation",
        "held out",
        "speaker-independent",
        "95% interval",
    ),
    "compare": (
        "clip",
        "class",
        "model",
        "tuning",
        "multilayer perceptron",
        "vote",
        "accuracy",
        "recall",
        "precision",
        "F1",
        "UAR",
        "confusion matrix",
        "chance",
        "95% interval",
        "significant",
        "McNemar's test",
        "probability",
        "calibration",
    ),
    "honest": (
        "clip",
        "corpus",
        "class",
        "pitch",
        "decibel",
        "noise",
        "clipping",
        "recording condition",
        "feature",
        "functional",
        "model",
        "training clip",
        "test clip",
        "multilayer perceptron",
        "convolutional network",
        "support vector machine",
        "vote",
        "overfitting",
        "accuracy",
        "recall",
        "UAR",
        "chance",
        "protocol",
        "split",
        "fold",
        "held out",
        "speaker-independent",
        "95% interval",
        "significant",
        "McNemar's test",
        "probability",
        "calibration",
        "coverage",
        "verdict",
        "acted emotion",
    ),
    "lesson": (
        "clip",
        "label",
        "intensity",
        "waveform",
        "spectrogram",
        "feature",
        "training clip",
        "epoch",
        "loss",
        "overfitting",
        "accuracy",
        "confusion matrix",
        "acted emotion",
    ),
    "teach": (
        "clip",
        "class",
        "model",
        "confusion matrix",
        "95% interval",
    ),
    "join": (
        "clip",
        "class",
    ),
    "jobs": ("tuning",),
}


def on_page(page: str) -> list[Term]:
    """The terms on a page.

    Parameters
    ----------
    page : str
        The name of its file, without the ending.

    Returns
    -------
    list of Term
        In the order of `GLOSSARY`; none for a page that is not known.
    """
    return [term for term in GLOSSARY if term.word in PAGES.get(page, ())]


def of(texts: Iterable[str]) -> list[Term]:
    """The terms that texts have.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    list of Term
        In the order of `GLOSSARY`.
    """
    text = "\n".join(texts)
    return [term for term in GLOSSARY if term.is_in(text)]
