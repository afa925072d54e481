"""The study's features by plain librosa calls and by `ser_core`, on the same clips, on one core, in one run.

    python -m benchmarks.features [N]

Uses the real clips where they are (SER_DATA_DIR), else the synthetic voice. Both take each clip in turn, so
that a noisy machine slows both alike, and reports medians, their ratio, and the largest difference.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NUMBA_NUM_THREADS="1")

import io
import sys
import time

import librosa
import numpy as np
import soundfile

from ser_core import audio, corpus
from ser_core.corpus import synthetic
from ser_core.errors import CorpusError
from ser_core.features import functionals, mean180
from ser_core.settings import Settings
from tests import plain_librosa

STEPS = ("librosa, features", "ours, features", "librosa, from file", "ours, from file", "functionals")


def main(number: int = 200) -> None:
    clips = wav_clips(number)
    seconds = {name: [] for name in STEPS}
    absolute, relative = 0.0, 0.0
    for content in clips[:3]:  # librosa compiles on its first calls
        plain_librosa.features(librosa.load(io.BytesIO(content))[0])
        mean180.extract(audio.load(content).samples)
        functionals.extract(audio.load(content).samples)
    for content in clips:
        start = time.perf_counter()
        samples, _ = librosa.load(io.BytesIO(content))
        loaded = time.perf_counter()
        theirs = plain_librosa.features(samples)
        done = time.perf_counter()
        seconds["librosa, features"].append(done - loaded)
        seconds["librosa, from file"].append(done - start)
        start = time.perf_counter()
        samples = audio.load(content).samples
        loaded = time.perf_counter()
        ours = mean180.extract(samples)
        done = time.perf_counter()
        functionals.extract(samples)
        seconds["functionals"].append(time.perf_counter() - done)
        seconds["ours, features"].append(done - loaded)
        seconds["ours, from file"].append(done - start)
        difference = np.abs(ours - theirs)
        absolute = max(absolute, float(difference.max()))
        relative = max(
            relative, float((difference / np.maximum(np.abs(theirs), 1e-12))[difference > 2e-5].max(initial=0))
        )
    median = {name: 1000 * float(np.median(values)) for name, values in seconds.items()}
    print(f"{len(clips)} clips, one core, median ms a clip")
    for part in ("features", "from file"):
        theirs, ours = median[f"librosa, {part}"], median[f"ours, {part}"]
        print(f"  {part:9}: librosa {theirs:6.2f}   ours {ours:6.2f}   {theirs / ours:4.1f} times as fast")
    print(f"  the second feature set, functionals: {median['functionals']:.2f}")
    print(f"largest difference: {absolute:.1e} absolute, {relative:.1e} relative (of values that differ by over 2e-5)")


def wav_clips(number: int) -> list[bytes]:
    """Clips as RAVDESS has them: 48 kHz, 16 bit, WAV."""
    try:
        found = corpus.index(Settings.from_environment().data_dir)
    except CorpusError as error:
        print(f"Synthetic clips: {error}", file=sys.stderr)
        return [synthetic.wav("angry", actor=1 + i % 24, rate=48_000, seconds=3.7, seed=i) for i in range(number)]
    chosen = found.clips["path"].iloc[:: max(1, len(found.clips) // number)].head(number)
    return [as_wav(found.folder / path) for path in chosen]


def as_wav(path) -> bytes:
    samples, rate = soundfile.read(path, dtype="int16")
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
