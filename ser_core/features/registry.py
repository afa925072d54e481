"""The registry of feature sets. A new feature set is an entry here."""

from pathlib import Path

from ser_core.errors import FeatureError
from ser_core.features import backbones, encoder, frames, functionals, mean180, prosody, smile, speaking, within_clip
from ser_core.features.feature_set import FeatureSet, is_from_elsewhere
from ser_core.settings import Settings

MEAN180 = FeatureSet(
    "mean180",
    mean180.VERSION,
    "the time means of 40 MFCC, 12 chroma, 128 mel bands",
    mean180.extract,
    mean180.NAMES,
)
FUNCTIONALS = FeatureSet(
    "functionals",
    functionals.VERSION,
    f"{len(functionals.NAMES):,} statistics over time of timbre, energy, pitch and voice quality",
    functionals.extract,
    functionals.NAMES,
)
WITHIN_CLIP = FeatureSet(
    "within-clip",
    within_clip.VERSION,
    f"{len(within_clip.NAMES):,} statistics of how a voice varies within a clip, in a telephone's band",
    within_clip.extract,
    within_clip.NAMES,
)
PROSODY = FeatureSet(
    "prosody", prosody.VERSION, "loudness and median pitch", prosody.extract, prosody.NAMES
)  # for pages; no model uses it
SPEAKING = FeatureSet(
    "speaking", speaking.VERSION, "what a listener notices in a voice", speaking.extract, speaking.NAMES
)  # for explanations; no model uses it

FEATURE_SETS: dict[str, FeatureSet] = {
    one.key: one
    for one in (
        MEAN180,
        FUNCTIONALS,
        WITHIN_CLIP,
        FeatureSet(
            "frames",
            "frames-1",
            f"{frames.BANDS} mel bands in dB of {frames.FRAMES} frames around the middle of the voice",
            frames.frames,
            dtype="<f2",
        ),
        FeatureSet(
            "within-clip-frames",
            within_clip.FRAMES_VERSION,
            f"{within_clip.N_BANDS} mel bands of a telephone's band, each without its mean, in {within_clip.FRAMES} "
            "frames around the middle of the voice",
            within_clip.frames,
            dtype="<f2",
        ),
        FeatureSet(
            "sequence",
            "sequence-1",
            f"40 MFCC and 12 chroma of {frames.SEQUENCE_LENGTH} moments around the middle of the voice",
            frames.sequence,
            dtype="<f2",
        ),
    )
}
ALIASES = {"study": "mean180"}  # former names in commands and addresses


def key_of(name: str) -> str:
    """The key of a feature set by its key or a former name.

    Parameters
    ----------
    name : str
        `onnx:FILE` is an encoder's, whose key has the digest of the file.

    Returns
    -------
    str

    Raises
    ------
    FeatureError
        If there is none, or the file cannot be read.

    Examples
    --------
    >>> key_of("study")
    'mean180'
    """
    key = ALIASES.get(name, name)
    if is_from_elsewhere(key):
        return key
    if key.startswith(encoder.PREFIX):
        return encoder.key_of(Path(key.removeprefix(encoder.PREFIX)))
    there = (*FEATURE_SETS, *backbones.BACKBONES, *smile.SETS)
    if key not in there:
        raise FeatureError(
            f"There is no feature set {name!r}; there is {', '.join(there)}, onnx:FILE for an encoder, and any file of "
            "numbers by clip"
        )
    return key


def get(name: str, settings: Settings | None = None, weights: Path | None = None) -> FeatureSet:
    """The feature set of that key.

    Parameters
    ----------
    name : str
        Its key or a former name.
    settings : Settings, optional
        Its `backbone_weights` are the default of `weights`.
    weights : Path, optional
        A file of a backbone's ImageNet weights; by default, Keras downloads its own.

    Returns
    -------
    FeatureSet

    Raises
    ------
    FeatureError
        If there is none, or only a file has these features.
    ModelError
        If a backbone's weights are not available.
    MissingPackageError
        If it needs an extra that is not installed.
    """
    if name.startswith(encoder.PREFIX) and not is_from_elsewhere(name):
        return encoder.load(Path(name.removeprefix(encoder.PREFIX)))
    key = key_of(name)
    if key in FEATURE_SETS:
        return FEATURE_SETS[key]
    if key in smile.SETS:
        return smile.load(key)
    if is_from_elsewhere(key):
        raise FeatureError(f"{key} is not made here, so that this needs its file: name it with --features")
    usual = settings.backbone_weights.get(key) if settings else None
    return backbones.load(key, weights or usual)


def title_of(key: str) -> str:
    """A feature set in words. No weights are loaded.

    Parameters
    ----------
    key : str

    Returns
    -------
    str
    """
    if key in smile.SETS:
        return smile.SETS[key][1]
    if is_from_elsewhere(key):
        return f"features from elsewhere ({key})"
    return FEATURE_SETS[key].title if key in FEATURE_SETS else backbones.title(key)


def is_table(key: str) -> bool:
    """Whether a feature set is a vector of named features, which can be saved as a table.

    Parameters
    ----------
    key : str
        As `key_of` gives it.

    Returns
    -------
    bool
    """
    return key in tables() or key in smile.SETS or is_from_elsewhere(key)


def tables() -> dict[str, FeatureSet]:
    """The feature sets of this package that are vectors of named features and can be saved as tables.

    Returns
    -------
    dict of str to FeatureSet
        By key.
    """
    return {key: one for key, one in FEATURE_SETS.items() if one.names}
