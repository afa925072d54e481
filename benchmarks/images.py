"""Spectrogram pictures by matplotlib with `librosa.display.specshow` and by `ser_core`, on the same clips in one run.

    python -m benchmarks.images [N]

Both take each clip in turn, on one core, so that a noisy machine slows both alike. Theirs is the plain way: a new
figure of 224 x 224 pixels without axes, specshow, savefig as PNG into memory, close. Then all clips of SER_DATA_DIR are
made into a folder by two processes, as `python -m ser_core spectrograms` makes them.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NUMBA_NUM_THREADS="1")

import io
import sys
import tempfile
import time
from pathlib import Path

import librosa
import matplotlib
import numpy as np

from benchmarks.features import wav_clips
from ser_core import audio, corpus
from ser_core.errors import CorpusError
from ser_core.features import images
from ser_core.settings import Settings
from tests import plain_pictures


def main(number: int = 100) -> None:
    matplotlib.use("Agg")
    clips = wav_clips(number)
    for content in clips[:3]:  # librosa compiles on its first calls, and matplotlib looks for fonts
        _measure(content, "mel")
    print(f"{len(clips)} clips, one core, median ms a clip")
    for kind in images.KINDS:
        theirs, ours, difference = zip(*(_measure(content, kind) for content in clips), strict=True)
        for part, their_ms, our_ms in zip(
            ("numbers alone", "drawing alone", "samples to PNG", "file to PNG"),
            1000 * np.median(theirs, axis=0),
            1000 * np.median(ours, axis=0),
            strict=True,
        ):
            times = f"{their_ms / our_ms:4.1f} times as fast"
            print(f"  {kind:8} {part:14}: librosa + matplotlib {their_ms:6.2f}   ours {our_ms:5.2f}   {times}")
        mean, pixels = np.mean(difference, axis=0)
        print(f"  {kind:8} mean absolute difference {mean:.2f} of 255, in {pixels:.1%} of the pixels")
    _measure_all()


def _measure(content: bytes, kind: str) -> tuple[list[float], list[float], tuple[float, float]]:
    """Seconds for the numbers, the drawing, both, and both with the decoding; and how far the pictures differ."""
    marks = [time.perf_counter()]
    samples, _ = librosa.load(io.BytesIO(content))
    marks.append(time.perf_counter())
    shown = plain_pictures.values(samples, kind)
    marks.append(time.perf_counter())
    their_png = plain_pictures.png(shown)
    marks.append(time.perf_counter())
    theirs = [marks[2] - marks[1], marks[3] - marks[2], marks[3] - marks[1], marks[3] - marks[0]]

    marks = [time.perf_counter()]
    samples = audio.load(content).samples
    marks.append(time.perf_counter())
    our_png = images.png(samples, kind)
    marks.append(time.perf_counter())
    images.values(samples, kind)
    marks.append(time.perf_counter())
    numbers = marks[3] - marks[2]  # made a second time to be timed: they are the first step of `png`
    ours = [numbers, marks[2] - marks[1] - numbers, marks[2] - marks[1], marks[2] - marks[0]]

    apart = np.abs(plain_pictures.pixels(our_png).astype(int) - plain_pictures.pixels(their_png))
    return theirs, ours, (float(apart.mean()), float(apart.any(axis=2).mean()))


def _measure_all() -> None:
    try:
        found = corpus.index(Settings.from_environment().data_dir)
    except CorpusError as error:
        print(f"Not measured on all clips: {error}", file=sys.stderr)
        return
    for copies in (0, 1):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            written = images.write(found, Path(folder), copies=copies, jobs=2)
            seconds = time.perf_counter() - start
        what = f"all {len(found.clips):,} clips, augmented copies of each training clip: {copies}"
        print(f"{what}: {written.made:,} mel pictures in {seconds:.1f} s with two processes")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
