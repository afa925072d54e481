"""Spectrogram images for image models: 224 x 224 pixels, as in the original study, in a folder per part and class.

A picture equals what `librosa.display.specshow` draws without axes, computed directly: each value is mapped to one of
256 colours, and each pixel takes the value at its centre. Drawing it as a figure takes over ten times as long
(`python -m benchmarks.images`).
"""

import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import librosa
import numpy as np
from PIL import Image

from ser_core import audio, records
from ser_core.corpus import Corpus, Rejected, ravdess
from ser_core.errors import AudioError, DamagedError, ImageError
from ser_core.evaluation import protocols
from ser_core.features import mean180, store
from ser_core.features.mean180 import N_MFCC, SAMPLE_RATE
from ser_core.files import atomically

VERSION = "picture-1"  # Stored with pictures: raise it with any change of the pixels or the augmentation.

SIZE = 224  # pixels: the input size of VGG16 and most other ImageNet models
SETTINGS = "spectrograms.json"
PROTOCOL = "study"
COMPRESSION = 3  # zlib's level. As small as its default, 6, in two thirds of the time

# Rows of colours.png, which contains matplotlib's magma and coolwarm (Moreland 2009), 256 colours each. specshow uses
# the first for values of one sign and the second for values of both signs: these, for every clip of RAVDESS.
_COLOURS = {"mel": 0, "mfcc": 1, "contrast": 0}
KINDS = tuple(_COLOURS)

# Ranges of the augmentation, our choice. Pitch and pace distinguish emotions, and pitch distinguishes women from men
# (by about an octave), so both change only a little. Nearly all clips of RAVDESS are silent before and after the voice
# (for a second, the median), so that a slower pace seldom cuts it off. The noise is white.
STRETCH = (0.9, 1.1)  # factor of the pace
PITCH_ST = (-2.0, 2.0)  # semitones
SHIFT_S = (-0.25, 0.25)
SNR_DB = (25.0, 45.0)


@dataclass(frozen=True)
class Written:
    """A folder of pictures, and how it was made.

    Parameters
    ----------
    folder : Path
    train, test : int
        Pictures of each part, augmented copies included.
    made : int
        New pictures.
    rejected : tuple of Rejected
        Clips that could not be decoded, and files that the index left out.
    """

    folder: Path
    train: int
    test: int
    made: int
    rejected: tuple[Rejected, ...]


def values(samples: np.ndarray, kind: str) -> np.ndarray:
    """The values of a picture, as librosa computes them at its defaults (frames of 2,048 samples every 512).

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono at 22,050 Hz, as `ser_core.audio.load` returns them.
    kind : str
        `mel`: power in 128 mel bands, in dB below the loudest cell, at least -80. `mfcc`: 40 MFCC. `contrast`: spectral
        contrast in dB of seven bands.

    Returns
    -------
    np.ndarray [shape=(rows, frames), dtype=float32]
        Low frequencies first.

    Raises
    ------
    ImageError
        If there is no such kind.

    References
    ----------
    Jiang et al. 2002, "Music type classification by spectral contrast feature".
    """
    _check_kind(kind)
    samples = np.asarray(samples, dtype=np.float32)
    if kind == "contrast":  # in double precision: single would distort the valleys of the spectrum
        magnitude = mean180.magnitude_spectrogram(samples)
        return librosa.feature.spectral_contrast(S=magnitude.T, sr=SAMPLE_RATE).astype(np.float32)
    mel = mean180.mel_spectrogram(mean180.magnitude_spectrogram(samples, np.float32))
    if kind == "mel":
        return librosa.power_to_db(mel, ref=np.max)
    return librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=N_MFCC)


def picture(samples: np.ndarray, kind: str) -> np.ndarray:
    """The picture of one clip, as input of an image model.

    Time runs to the right over the whole clip, whatever its length; low frequencies are at the bottom. The smallest
    value gets the first colour, the largest the last.

    Parameters
    ----------
    samples, kind
        As in `values`.

    Returns
    -------
    np.ndarray [shape=(224, 224, 3), dtype=uint8]
        Red, green, blue.

    Raises
    ------
    ImageError
        If there is no such kind.
    """
    return np.asarray(_draw(samples, kind).convert("RGB"))


def png(samples: np.ndarray, kind: str) -> bytes:
    """The `picture` of one clip as a PNG file with a palette, which takes a third of the size of RGB.

    Parameters
    ----------
    samples, kind
        As in `values`.

    Returns
    -------
    bytes

    Raises
    ------
    ImageError
        If there is no such kind.
    """
    file = io.BytesIO()
    _draw(samples, kind).save(file, "PNG", compress_level=COMPRESSION)
    return file.getvalue()


def augment(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An augmented copy of a clip: random speed, pitch, time shift and noise.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        At 22,050 Hz.
    rng : np.random.Generator
        Draws the amount of each uniformly from `STRETCH`, `PITCH_ST`, `SHIFT_S` and `SNR_DB`.

    Returns
    -------
    np.ndarray [shape=(n,), dtype=float32]
        Of the same length: a picture spans its whole clip, and would not show a change of pace otherwise.
    """
    pace = rng.uniform(*STRETCH)
    pitch = 2 ** (rng.uniform(*PITCH_ST) / 12)
    # A pitch shift is a time stretch and resampling, so one stretch, the slow step, serves both.
    changed = librosa.effects.time_stretch(samples, rate=pace / pitch)
    changed = librosa.resample(changed, orig_sr=SAMPLE_RATE * pitch, target_sr=SAMPLE_RATE)
    # The clip is treated as a loop: both ends are silent, so what is shifted out at one end comes in at the other.
    looped = np.roll(np.resize(changed, len(samples)), round(rng.uniform(*SHIFT_S) * SAMPLE_RATE))
    level = np.sqrt(np.square(looped).mean()) / 10 ** (rng.uniform(*SNR_DB) / 20)
    return (looped + rng.normal(scale=level, size=len(samples))).astype(np.float32)


def write(
    corpus: Corpus,
    out: Path,
    *,
    kind: str = "mel",
    copies: int = 0,
    seed: int = protocols.ORIGINAL_SEED,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
) -> Written:
    """Write a picture of every clip as `out/<train or test>/<class>/<clip>.png`, in the original study's split.

    Sorted folder names have the order of `labels.LABELS`, which is also the class order of Keras and torchvision.
    Existing pictures are kept, so that an interrupted call can be resumed. `out/spectrograms.json` has the settings;
    other settings need another folder.

    Parameters
    ----------
    corpus : Corpus
        Some or all clips of RAVDESS. Each is put into the part that it has in the split of all clips.
    out : Path
        A new or empty folder, or one that was started with the same settings.
    kind : str
        As in `values`.
    copies : int
        Number of augmented copies of each training clip, as `<clip>_aug1.png`, `_aug2` and so on. Test clips get none:
        scores are of original recordings, and copies would count some clips more than once.
    seed : int
        Of the augmentation. A copy depends only on the seed, the name of the clip and the number of the copy.
    jobs : int
        Processes, as joblib counts them; -1 for all cores.
    progress : callable, optional
        Called with the number of clips done and of all clips, after each batch.

    Returns
    -------
    Written

    Raises
    ------
    ImageError
        If there is no such kind, `copies` is negative, clips are not of RAVDESS, or `out` cannot be written or contains
        something else.
    FeatureError
        If more than 2% of the corpus's clips cannot be read.
    """
    _check_kind(kind)
    if copies < 0:
        raise ImageError(f"{copies} augmented copies cannot be made: give 0 or more")
    clips = corpus.clips
    if others := sorted(set(clips["corpus"]) - {ravdess.NAME}):
        raise ImageError(f"Pictures are in the study's split, so they are of RAVDESS' clips, not of {others[0]}'s")
    faults: dict[int, str] = {}
    store.check_share(corpus, faults)
    _open_folder(
        out,
        {
            "version": VERSION,
            "kind": kind,
            "size": SIZE,
            "augmented_copies": copies,
            "seed": seed if copies else None,
            "protocol": PROTOCOL,
            "clips": len(clips),
            "clips_sha256": _digest(corpus),
        },
    )
    copies_of = {"train": range(1 + copies), "test": range(1)}  # 0 is the clip as it is
    parts = clips["stem"].map(protocols.original_parts())
    with _writing(out):  # Both parts have all classes, or else a class would have two numbers.
        for part, label in itertools.product(("train", "test"), set(clips["label"])):
            (out / part / label).mkdir(parents=True, exist_ok=True)
    wanted = [
        {copy: out / part / label / f"{stem}{f'_aug{copy}' if copy else ''}.png" for copy in copies_of[part]}
        for stem, part, label in zip(clips["stem"], parts, clips["label"], strict=True)
    ]
    missing = [{copy: file for copy, file in files.items() if not file.exists()} for files in wanted]
    work = [(row, corpus.folder / clips["path"][row], files) for row, files in enumerate(missing) if files]
    done = len(clips) - len(work)
    if progress:
        progress(done, len(clips))
    for batch in store.in_parallel(_write_clips, work, kind, seed, jobs=jobs):
        faults |= {row: fault for row, fault in batch if fault}
        store.check_share(corpus, faults)
        done += len(batch)
        if progress:
            progress(done, len(clips))
    there = [row for row in range(len(clips)) if row not in faults]
    return Written(
        folder=out,
        train=sum(len(wanted[row]) for row in there if parts[row] == "train"),
        test=sum(len(wanted[row]) for row in there if parts[row] == "test"),
        made=sum(len(missing[row]) for row in there),
        rejected=store.rejected(corpus, faults),
    )


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ImageError(f"There is no kind of picture {kind!r}; there is {', '.join(KINDS)}")


def _draw(samples: np.ndarray, kind: str) -> Image.Image:
    shown = values(samples, kind)
    low, high = shown.min(), shown.max()
    level = (shown - low) * (256 / (high - low)) if high > low else np.zeros_like(shown)
    image = Image.fromarray(np.minimum(level, 255).astype(np.uint8)[::-1])
    image = image.resize((SIZE, SIZE), Image.Resampling.NEAREST)
    image.putpalette(_palettes()[_COLOURS[kind]])
    return image


@lru_cache(maxsize=1)
def _palettes() -> list[bytes]:
    return [row.tobytes() for row in np.asarray(Image.open(Path(__file__).with_name("colours.png")))]


def _open_folder(out: Path, settings: dict) -> None:
    """Create a folder for pictures of these settings, or check that it is one."""
    file = out / SETTINGS
    with _writing(out):
        out.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            if any(not item.name.startswith(".") for item in out.iterdir()):
                raise ImageError(f"{out} contains other files. Name a new folder, or an empty one")
            _write(file, (json.dumps(settings, indent=1) + "\n").encode())
            return
    try:
        there = dict(records.read_json(file))
    except (OSError, DamagedError, ValueError, TypeError) as error:
        raise ImageError(f"{file} cannot be read ({error}). Delete {out} and make it again") from error
    for name, value in settings.items():
        if there.get(name) != value:
            raise ImageError(
                f"{out} contains pictures with other settings: {name} was {there.get(name)!r} and is {value!r} now. "
                "Name another folder, or delete this one"
            )


def _digest(corpus: Corpus) -> str:
    """SHA-256 of the names and sizes of all recordings, without reading them."""
    sizes = [(corpus.folder / path).stat().st_size for path in corpus.clips["path"]]
    rows = zip(corpus.clips["stem"], sizes, strict=True)
    return hashlib.sha256("\n".join(f"{stem} {size}" for stem, size in rows).encode()).hexdigest()


def _write_clips(work: list[tuple[int, Path, dict]], kind: str, seed: int) -> list[tuple[int, str | None]]:
    return [(row, _write_clip(source, files, kind, seed)) for row, source, files in work]


def _write_clip(source: Path, files: dict[int, Path], kind: str, seed: int) -> str | None:
    """Write the pictures of one clip; returns what is wrong with it, or None."""
    try:
        samples = audio.load(source, rate=SAMPLE_RATE).samples
    except AudioError as error:
        return str(error).removeprefix(f"{source}: ")
    for copy, file in files.items():
        rng = np.random.default_rng([seed, copy, *ravdess.numbers(source.stem)])
        _write(file, png(augment(samples, rng) if copy else samples, kind))
    return None


def _write(file: Path, content: bytes) -> None:
    with _writing(file), atomically(file) as part:  # an incomplete picture does not have the suffix of an image
        part.write_bytes(content)


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImageError(f"{place} cannot be written ({error}). Choose another place, or make room") from error
