"""Features by plain librosa calls, by `ser_core` and by openSMILE, on the same clips, on one core, in one run.

    python -m benchmarks.features [N]

Uses the real clips where they are (SER_DATA_DIR), else the synthetic voice. All take each clip in turn, so that a noisy
machine slows all alike. It reports medians of processor time, which does not count the time of other programs, their
ratios, and the largest difference between the study's features by librosa and by `ser_core`. openSMILE takes part where
it is installed. At the end, whole commands stand beside a process that loads one clip with librosa.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NUMBA_NUM_THREADS="1")

import io
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import soundfile

from ser_core import audio, corpus
from ser_core.corpus import synthetic
from ser_core.errors import CorpusError
from ser_core.features import functionals, mean180
from ser_core.features.smile import SETS
from ser_core.settings import Settings
from tests import plain_librosa

RATE = mean180.SAMPLE_RATE
COMMANDS_CLIPS = (10, 100)
PAIRS = 3  # of commands


def main(number: int = 200) -> None:
    clips = wav_clips(number)
    flacs = [encoded(content, "FLAC") for content in clips]
    samples = [audio.load(content).samples for content in clips]
    stages = {
        "decode WAV": [(librosa_load, clips), (audio.load, clips)],
        "decode FLAC": [(librosa_load, flacs), (audio.load, flacs)],
        "mean180": [(plain_librosa.features, samples), (mean180.extract, samples)],
        "mean180 from FLAC": [
            (lambda content: plain_librosa.features(librosa_load(content)), flacs),
            (lambda content: mean180.extract(audio.load(content).samples), flacs),
        ],
        "functionals": [(opensmile("egemaps"), samples), (functionals.extract, samples)],
        "functionals again": [(opensmile("compare2016"), samples), (functionals.extract, samples)],
    }
    print(f"{len(clips)} clips, one core, median ms of processor time a clip")
    print(f"  {'':18} {'others':>8} {'ours':>8} {'times as fast':>14}")
    for name, pair in stages.items():
        theirs, ours = medians(pair)
        beside = f"{theirs:8.2f} {ours:8.2f} {theirs / ours:14.2f}" if theirs else f"{'-':>8} {ours:8.2f}"
        print(f"  {name:18} {beside}")
    print("others: plain librosa; beside functionals, openSMILE's eGeMAPS (88 values), then its ComParE 2016 (6,373)")
    print_differences(samples)
    commands(flacs)


def medians(pair: list[tuple[Callable | None, list]]) -> list[float]:
    """Milliseconds of each of two functions, which take turns; 0 of one that is not there."""
    spent: list[list[float]] = [[] for _ in pair]
    for warm in (True, False):  # librosa and others compile on their first calls
        for each in range(3 if warm else len(pair[0][1])):
            for (function, items), seconds in zip(pair, spent, strict=True):
                if function is None:
                    continue
                start = time.process_time()
                function(items[each])
                if not warm:
                    seconds.append(time.process_time() - start)
    return [1000 * float(np.median(seconds or [0.0])) for seconds in spent]


def librosa_load(content: bytes) -> np.ndarray:
    return librosa.load(io.BytesIO(content))[0]


def opensmile(key: str) -> Callable | None:
    """A set of openSMILE's in this process; None where it is not installed."""
    try:
        import opensmile as smile
    except ImportError:
        return None
    extractor = smile.Smile(smile.FeatureSet[SETS[key][0]], smile.FeatureLevel.Functionals)
    return lambda samples: extractor(samples, RATE)


def print_differences(clips: list[np.ndarray]) -> None:
    absolute, relative = 0.0, 0.0
    for samples in clips:
        theirs = plain_librosa.features(samples)
        difference = np.abs(mean180.extract(samples) - theirs)
        absolute = max(absolute, float(difference.max()))
        shares = difference / np.maximum(np.abs(theirs), 1e-12)
        relative = max(relative, float(shares[difference > 2e-5].max(initial=0)))
    print(f"largest difference: {absolute:.1e} absolute, {relative:.1e} relative (of values that differ by over 2e-5)")


def commands(clips: list[bytes]) -> None:
    """Processor time of whole commands, their workers included, beside a process that loads a clip with librosa."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        first = write(folder / "one", clips[:1])
        load = ("-c", f"import librosa; librosa.load({str(first)!r})")
        predict = ("-m", "ser_core", "predict", str(first), "--json")
        runs = [(spent(*load), spent(*predict)) for _ in range(PAIRS)]
        theirs, ours = np.median(runs, axis=0)
        print(f"ser predict, cold: {ours:.2f} s, {ours / theirs:.2f} times librosa.load of that clip ({theirs:.2f} s)")
        for number in sorted({min(wanted, len(clips)) for wanted in COMMANDS_CLIPS}):
            write(folder / f"clips-{number}", clips[:number])
            extract = ("-m", "ser_core", "extract", str(folder / f"clips-{number}"), "--out", str(folder / "t.parquet"))
            made, reused = (spent(*extract, workspace=folder / f"workspace-{number}") for _ in ("made", "reused"))
            print(f"ser extract of {number} clips: {made:.2f} s, and {reused:.2f} s with all features in the store")


def write(folder: Path, clips: list[bytes]) -> Path:
    """Write clips under names of RAVDESS, and return the first."""
    names = [clip.stem for clip in corpus.official_clips()]
    folder.mkdir()
    for name, content in zip(names, clips, strict=False):
        actor = folder / f"Actor_{name[-2:]}"
        actor.mkdir(exist_ok=True)
        (actor / f"{name}.flac").write_bytes(content)
    return next(folder.rglob("*.flac"))


def spent(*arguments: str, workspace: Path | None = None) -> float:
    """Seconds of processor time of a Python process and its own processes."""
    environment = os.environ | ({"SER_WORKSPACE": str(workspace)} if workspace else {})
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wav_clips(number: int) -> list[bytes]:
    """Clips as RAVDESS has them: 48 kHz, 16 bit, WAV."""
    try:
        found = corpus.index(Settings.from_environment().data_dir)
    except CorpusError as error:
        print(f"Synthetic clips: {error}", file=sys.stderr)
        return [synthetic.wav("angry", actor=1 + i % 24, rate=48_000, seconds=3.7, seed=i) for i in range(number)]
    chosen = found.clips["path"].iloc[:: max(1, len(found.clips) // number)].head(number)
    return [encoded((found.folder / path).read_bytes(), "WAV") for path in chosen]


def encoded(content: bytes, format: str) -> bytes:
    """A sound file of 16 bits in another format."""
    samples, rate = soundfile.read(io.BytesIO(content), dtype="int16")
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=format, subtype="PCM_16")
    return file.getvalue()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
