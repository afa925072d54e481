"""What a prediction for a 4 s clip costs with each model that ships, side by side in one run, beside that of `best`.

python -m benchmarks.prediction
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # as the server does

import time

import numpy as np

from ser_core import audio
from ser_core.audio.voice_activity import has_voice
from ser_core.corpus import synthetic
from ser_core.prediction import model_store
from ser_core.prediction.predictor import Predictor
from ser_core.settings import Settings

ROUNDS = 100
BESIDE = "best"


def main() -> None:
    content = synthetic.wav("angry", actor=2, rate=48_000, seconds=4.0)
    waveform = audio.load(content, rate=22_050)
    entries = model_store.list_all(Settings.from_environment().stores)
    predictors = {entry.key: Predictor.load(entry) for entry in entries}
    seconds = {key: {"from file": [], "from samples": []} for key in predictors}
    for _ in range(ROUNDS):
        for key, predictor in predictors.items():
            for name, work in (
                ("from file", lambda predictor=predictor: predictor.predict_file(content)),
                ("from samples", lambda predictor=predictor: predictor.predict(waveform)),
            ):
                start = time.perf_counter()
                work()
                seconds[key][name].append(time.perf_counter() - start)
    print(f"of which {_of_voice_detection(waveform):.1f} ms to find a voice, whatever the model")
    median = {key: {name: 1000 * float(np.median(one)) for name, one in of.items()} for key, of in seconds.items()}
    for key, of in sorted(median.items(), key=lambda item: item[1]["from samples"]):
        said = [f"{name} {ms:6.1f} ms, {ms / median[BESIDE][name]:.2f} x {BESIDE}" for name, ms in of.items()]
        print(f"{key:8}", *said, sep="   ")


def _of_voice_detection(waveform: audio.Waveform) -> float:
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        has_voice(waveform.samples, waveform.rate)
        seconds.append(time.perf_counter() - start)
    return 1000 * float(np.median(seconds))


if __name__ == "__main__":
    main()
