"""How long the server works on the pages of the data, with all 2,452 clips, and on the page that compares all runs that
ship (more than 40): first paint, then each change of a choice.

    python -m benchmarks.pages [ROUNDS] [PAGE...]

The pages run in Streamlit's own test runner. `new` is for the server's very first visitor, imports and all; `warm` is
for those after: the median of a few. Says whether all that is warm stays under the limits that the pages are held to.
Sound is read where SER_DATA_DIR has it.
"""

import logging
import statistics
import sys
import time

from tests.app.pages import at, open_app, widget

FIRST_PAINT_S = {"compare": 2.0}  # of the others:
USUAL_FIRST_PAINT_S = 1.5
CHANGE_S = 0.5

# Page -> what is chosen, one after the other: the widget's key and a value of it.
CHANGES = {
    "dataset": [
        ("emotion", ["sad", "angry"]),
        ("channel", ["speech"]),
        ("actor", ["01", "02", "03"]),
        ("emotion", []),
        ("actor", []),
        ("view", "Loudness"),
        ("rows", "speaker"),
        ("view", "Counts"),
        ("columns", "emotion"),
        ("view", "The study's split"),
    ],
    "sound": [  # another actor in each round: a clip that nobody has looked at yet
        ("clip-emotion", "sad"),
        ("clip-speaker", [f"{actor:02d}" for actor in range(1, 25)]),
        ("mode", "Two clips"),
        ("other-speaker", [f"{actor:02d}" for actor in range(24, 0, -1)]),
        ("views", ["stft", "mel", "mfcc"]),
        ("other-emotion", "calm"),
        ("views", ["chroma", "contrast", "energy"]),
    ],
    "features": [
        ("channel", "Speech"),
        ("voices", "Women"),
        ("voices", "All voices"),
        ("colour", "speaker"),
        ("of", "speaker"),
        ("method", "pca"),
        ("view", "What separates emotions"),
        ("channel", "Song"),
        ("view", "One feature"),
        ("feature", "mel_074"),
        ("view", "Energy by pitch"),
        ("view", "How many numbers"),
        ("voices", "Men"),
    ],
    "compare": [
        ("all", True),
        ("runs", ["krr", "v4", "mlp", "cnn"]),
        ("share", "count"),
        ("kind", "emotion"),
        ("view", "Class by class"),
        ("by", "statement"),
        ("view", "Right and wrong"),
        ("view", "What a vote gains"),
        ("vote", "v3"),
        ("view", "How sure they are"),
        ("view", "Actor by actor"),
        ("view", "Learned by heart"),
        ("view", "What they confuse"),
        ("protocol", "emobox"),
        ("protocol", "repetition"),
        ("protocol", "study"),
    ],
}


def main(rounds: int = 5, *pages: str) -> int:
    slow = []
    for page, changes in {page: CHANGES[page] for page in pages or CHANGES}.items():
        seconds: dict[str, list[float]] = {}
        for number in range(rounds + 1):
            app = open_app()
            times = {"first paint": timed(at, app, page)}
            for step, (key, values) in enumerate(changes, start=1):
                value, words = (values[number], "another") if isinstance(values, range) else (values, values)
                times[f"{step}. {key} = {words}"] = timed(widget(app, key).set_value(value).run)
            assert not app.exception and not app.error, page
            for name, took in times.items():
                seconds.setdefault(name, []).append(took)
        print(f"{page}\n  {'new':>7}  {'warm':>7}")
        for name, (new, *took) in seconds.items():
            limit = FIRST_PAINT_S.get(page, USUAL_FIRST_PAINT_S) if name == "first paint" else CHANGE_S
            warm = statistics.median(took)
            print(f"  {new:5.3f} s  {warm:5.3f} s  {name}" + ("" if warm < limit else f"   over {limit} s"))
            if warm >= limit:
                slow.append((page, name))
    print(
        f"limits: first paint {USUAL_FIRST_PAINT_S} s (compare {FIRST_PAINT_S['compare']} s), a change {CHANGE_S} s: "
        + (f"missed by {slow}" if slow else "all kept")
    )
    return bool(slow)


def timed(work, *arguments) -> float:
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    sys.exit(main(*map(int, sys.argv[1:2]), *sys.argv[2:]))
