"""What a prediction costs beside its feature extraction, with a warm predictor, on one 4 s clip, in one run.

python -m benchmarks.prediction
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # as the server does

import time

import numpy as np

from ser_core import audio
from ser_core.corpus import synthetic
from ser_core.features import mean180
from ser_core.prediction import model_store
from ser_core.prediction.predictor import Predictor
from ser_core.settings import Settings

ROUNDS = 200


def main() -> None:
    content = synthetic.wav("angry", actor=2, rate=48_000, seconds=4.0)
    waveform = audio.load(content)
    for entry in model_store.list_all(Settings.from_environment().stores):
        predictor = Predictor.load(entry)
        # What a user waits for, from the file on, and the part after decoding.
        works = {
            "extract, from file": lambda: mean180.extract(audio.load(content).samples),
            "predict, from file": lambda predictor=predictor: predictor.predict_file(content),
            "extract": lambda: mean180.extract(waveform.samples),
            "predict": lambda predictor=predictor: predictor.predict(waveform),
        }
        seconds = {name: [] for name in works}
        for _ in range(ROUNDS):
            for name, work in works.items():
                start = time.perf_counter()
                work()
                seconds[name].append(time.perf_counter() - start)
        median = {name: 1000 * float(np.median(values)) for name, values in seconds.items()}
        print(f"{entry.key}: median ms")
        for where in (", from file", ""):
            extract, predict = median[f"extract{where}"], median[f"predict{where}"]
            print(f"  extract{where} {extract:.2f}   predict{where} {predict:.2f}   ratio {predict / extract:.2f}")


if __name__ == "__main__":
    main()
