"""Time and memory of the pages of the data, by the number of clips of the corpus that they show, without a browser.

    python -m benchmarks.corpus_pages [CLIPS ...]

Each number of clips is measured in a process of its own: the index, and 180 features by chance of each clip, are
written as `ser extract --name` writes them. No sound is extracted, since `benchmarks.corpora` measures that; all clips
share one file, which can be heard. Times are those of one processor: `first` is the first visitor's, after the code of
the pages was loaded with RAVDESS; `again` is for one who comes after. Memory is the largest of the process, with all
pages seen. At last a real server says how much it sends over the websocket for each page.
"""

import logging
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path

CLIPS = (2_500, 10_000, 100_000)
SPEAKERS = 91
EMOTIONS = ("angry", "disgust", "fearful", "happy", "neutral", "sad", "boredom")
CHANGES = {  # page -> what is chosen, one after the other
    "dataset": [("emotion", ["sad"]), ("emotion", []), ("columns", "text"), ("view", "Duration"), ("rows", "text")],
    "sound": [("clip-emotion", "sad"), ("clip-speaker", "1007"), ("mode", "Two clips")],
    "features": [
        ("of", "speaker"),
        ("method", "tsne"),
        ("view", "What separates emotions"),
        ("view", "One feature"),
        ("view", "Energy by pitch"),
        ("view", "How many numbers"),
    ],
}


def write(workspace: Path, clips: int) -> None:
    """Register a simulated corpus: speakers and emotions move the features, so that there is something to find."""
    import numpy as np
    import pandas as pd
    import soundfile

    from ser_core.corpus import registered
    from ser_core.corpus.clips import in_order
    from ser_core.features import mean180, tables

    random = np.random.default_rng(0)
    number = np.arange(clips)
    speaker, emotion = number % SPEAKERS, random.integers(len(EMOTIONS), size=clips)
    names = [f"{1001 + who}_{place:06d}" for who, place in zip(speaker, number, strict=True)]
    index = pd.DataFrame(
        {
            "path": "one.wav",
            "stem": names,
            "corpus": "simulated",
            "speaker": [str(1001 + who) for who in speaker],
            "gender": np.where(speaker % 2, "female", "male"),
            "language": "en",
            "emotion": [EMOTIONS[place] for place in emotion],
            "label": [EMOTIONS[place] for place in emotion],
            "duration_s": random.uniform(1, 5, clips),
            "text": [f"t{place:02d}" for place in random.integers(12, size=clips)],
        }
    )
    size = len(mean180.NAMES)
    voices, moods = random.normal(size=(SPEAKERS, size)), random.normal(size=(len(EMOTIONS), size))
    values = random.normal(size=(clips, size)).astype(np.float32)
    values += (voices[speaker] + moods[emotion]).astype(np.float32)
    features = pd.DataFrame(np.abs(values), columns=list(mean180.NAMES))
    table = in_order(pd.concat([index, features], axis=1))
    table.attrs = {tables.VERSION: mean180.VERSION, tables.FOLDER: str(workspace)}
    tables.save(table, registered.place("simulated", workspace, registered.TABLE))
    soundfile.write(workspace / "one.wav", 0.1 * np.sin(np.arange(22_050) / 20), 22_050)


def measured(clips: int) -> None:
    """Print the times of each page, and the memory."""
    from streamlit.components.v2 import manifest_scanner

    from tests.app.pages import at, open_app, well, widget

    logging.disable(logging.WARNING)
    manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)

    def patient():
        app = open_app()
        app.default_timeout = 600
        return app

    for page in CHANGES:
        at(patient(), page)
    loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{clips:,} clips; with RAVDESS alone {loaded:,.0f} MB", flush=True)
    for page, changes in CHANGES.items():
        began = time.process_time()
        app = patient()
        at(app, page, corpus="simulated")
        print(f"  {page:10} first {time.process_time() - began:31.2f} s", flush=True)
        for key, value in changes:
            began = time.process_time()
            widget(app, key).set_value(value).run()
            well(app)
            print(f"  {page:10} {f'{key} = {value}':28} {time.process_time() - began:8.2f} s", flush=True)
        began = time.process_time()
        at(patient(), page, corpus="simulated")
        print(f"  {page:10} again {time.process_time() - began:31.2f} s", flush=True)
    print(f"  memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:34,.0f} MB", flush=True)


def sent(folder: Path) -> None:
    """Print the size of what a server sends."""
    from benchmarks.visitors import Visitor
    from tests.e2e.conftest import started

    with started(folder) as address, ExitStack() as leaves:
        for page in CHANGES:
            visitor = Visitor(address, "corpus=simulated", leaves, page)
            print(f"  {page:10} websocket {visitor.received / 1000:26,.0f} KB", flush=True)


def main(numbers: list[int]) -> None:
    """Measure each number of clips in a process of its own."""
    for clips in numbers:
        with tempfile.TemporaryDirectory() as folder:
            workspace = f"{folder}/workspace"
            environment = os.environ | {"SER_WORKSPACE": workspace, "SER_DATA_DIR": f"{folder}/none"}
            for call in (f"write(Path({workspace!r}), {clips})", f"measured({clips})", f"sent(Path({folder!r}))"):
                code = f"from benchmarks.corpus_pages import *; {call}"
                subprocess.run([sys.executable, "-c", code], env=environment, check=True)


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]] or list(CLIPS))
