"""Time and memory to index, extract and split a corpus, by its number of clips: each must grow no faster than they do.

    python -m benchmarks.corpora [CLIPS ...]

A simulated corpus named as CREMA-D: clips of 0.1 s of noise, of which 91 speakers have equal shares. The features are
a cheap stand-in, since the time for real ones is that of one clip times their number; the rest is what `extract` does.
Times are those of one processor, without waiting for the disk or for other processes.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from ser_core import corpus
from ser_core.corpus import manifest
from ser_core.evaluation import protocols
from ser_core.features import tables
from ser_core.features.feature_set import FeatureSet

CLIPS = (2_500, 10_000, 100_000)
RATE = 16_000
SPEAKERS = 91
EMOTIONS = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
NAMES = tuple(f"sample_{place:02d}" for place in range(20))


def first_samples(samples: np.ndarray) -> np.ndarray:
    """The stand-in for features: some samples of a clip."""
    return samples[: len(NAMES)]


def write(folder: Path, clips: int) -> None:
    """Write the corpus; each clip has samples of its own, since equal files are one in the store."""
    random = np.random.default_rng(0)
    for number in range(clips):
        speaker, take = 1001 + number % SPEAKERS, number // SPEAKERS
        text = "".join(chr(ord("A") + take // 26**place % 26) for place in range(3))
        place = folder / str(speaker) / f"{speaker}_{text}_{EMOTIONS[number % len(EMOTIONS)]}_XX.wav"
        place.parent.mkdir(exist_ok=True)
        soundfile.write(place, random.normal(0, 0.1, RATE // 10), RATE, subtype="PCM_16")


def measured(clips: int) -> dict[str, float]:
    """Processor seconds for each step, and the largest memory of the process so far in MB."""
    seconds: dict[str, float] = {}

    def timed(name: str, work):
        began = time.process_time()
        result = work()
        seconds[name] = time.process_time() - began
        return result

    with tempfile.TemporaryDirectory() as temporary:
        folder, workspace = Path(temporary, "clips"), Path(temporary, "workspace")
        folder.mkdir()
        write(folder, clips)
        features = FeatureSet("samples", "samples-1", "Some samples", first_samples, NAMES)
        found = timed("index", lambda: corpus.index(folder))
        timed("write the manifest", lambda: manifest.write([found], workspace / "clips.csv"))
        timed("index the manifest", lambda: corpus.index(workspace / "clips.csv"))
        made = timed("extract", lambda: tables.extract(found, workspace, features=features, jobs=1))
        timed("extract again", lambda: tables.extract(found, workspace, features=features, jobs=1))
        timed("save the table", lambda: tables.save(made.table, workspace / "clips.parquet"))
        timed("leave one speaker out", lambda: protocols.get("loso").folds(made.table))
        timed("five folds of speakers", lambda: protocols.get("actors-5").folds(made.table))
    return seconds | {"memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main(numbers: list[int]) -> None:
    """Print all figures; seconds also for 1,000 clips."""
    for clips in numbers:
        print(f"{clips:,} clips")
        for name, value in measured(clips).items():
            each = "" if "MB" in name else f"   {1000 * value / clips * 1000:8.1f} ms a thousand clips"
            print(f"  {name:24} {value:9.2f}{each}", flush=True)


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]] or list(CLIPS))
