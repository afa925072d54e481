"""Damaged recordings of six formats through the whole predictor, as a visitor would upload them.

    nice -n 19 python -m benchmarks.fuzz LOG [MUTANTS] [MINUTES]

Mutant number n is the same in every run: a sound in one of `FORMATS`, changed by one to three of `CHANGES` that are
drawn from n. A process that has loaded the model hears one after the other, and decodes as the server does. LOG, a file
of one JSON object a mutant, says what became of it; when it is started again, the numbers in it are left out. At the
end it says how many were heard and refused, how much memory that took at most, and every fault: a crash, a hang, an
exception other than `AudioError`, probabilities that are none.
"""

import io
import json
import os
import re
import resource
import sys
import time
from collections import Counter
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
import soundfile

from ser_core.corpus import synthetic
from ser_core.errors import AudioError
from ser_core.prediction.predictor import load_predictor
from tests.encoded import encode_av

RATE = 24_000  # Hz; Opus takes it
HANG_S = 60.0  # of processor time, for one mutant
PATIENCE_S = 900.0  # by the clock, where no processor time is taken
NUMBERS = (0, 1, 2**7, 2**15 - 1, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**63 - 1)  # that headers are told
HEAD = 600  # bytes in which most of a header lies


def originals() -> dict[str, list[bytes]]:
    """Of each format a short clip, one in stereo, and one that is heard turn by turn."""
    short = synthetic.speak("angry", actor=1, seconds=1.0, rate=RATE)[:, np.newaxis]
    pause = np.zeros((RATE, 1), np.float32)
    sounds = [short, np.hstack([short, short[::-1]]), np.vstack([short, pause] * 4)]
    made = {
        "wav": [_written(one, "WAV") for one in sounds],
        "flac": [_written(one, "FLAC") for one in sounds],
        "mp3": [_written(one, "MP3") for one in sounds],
        "ogg": [_written(one, "OGG", ("VORBIS", "OPUS")[place % 2]) for place, one in enumerate(sounds)],
        "m4a": [encode_av(one, RATE, "ipod", "aac") for one in sounds],
        "webm": [encode_av(one, RATE, "webm", "libopus") for one in sounds],
    }
    for name, sizes in (("m4a", {"movflags": "frag_keyframe+empty_moov"}), ("webm", {"live": "1"})):  # as browsers do
        muxer = {"m4a": "mp4", "webm": "webm"}[name]
        made[name].append(encode_av(short, RATE, muxer, {"m4a": "aac", "webm": "libopus"}[name], sizes))
    return made


def _written(samples: np.ndarray, format: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=format, subtype=subtype)
    return file.getvalue()


# ---- Ways to damage a file: each takes its bytes (not empty), a generator, and the bytes of another format


def _some_bytes(data, rng, other):
    for place in rng.integers(len(data), size=int(rng.integers(1, 50))):
        data[place] = rng.integers(256)
    return data


def _number_in_head(data, rng, other):
    size, place = int(rng.choice([1, 2, 4, 8])), int(rng.integers(min(HEAD, len(data))))
    number = int(rng.choice(np.array(NUMBERS, dtype=np.uint64))) % 2 ** (8 * size)
    data[place : place + size] = number.to_bytes(size, str(rng.choice(["little", "big"])))
    return data


def _bits_in_head(data, rng, other):
    for place in rng.integers(min(HEAD, len(data)), size=int(rng.integers(1, 9))):
        data[place] ^= 1 << int(rng.integers(8))
    return data


def _cut_off(data, rng, other):
    return data[: int(rng.integers(len(data))) + 1]


def _block(data, rng) -> slice:
    start = int(rng.integers(len(data)))
    return slice(start, start + int(rng.integers(1, max(2, len(data) // 4))))


def _without_block(data, rng, other):
    del data[_block(data, rng)]
    return data


def _block_twice(data, rng, other):
    block = _block(data, rng)
    return data[: block.stop] + data[block] * int(rng.integers(1, 20)) + data[block.stop :]


def _block_of_one_value(data, rng, other):
    block = _block(data, rng)
    data[block] = bytes([int(rng.choice([0, 0x7F, 0x80, 0xFF]))]) * len(data[block])
    return data


def _block_of_noise(data, rng, other):
    block = _block(data, rng)
    data[block] = rng.bytes(len(data[block]))
    return data


def _goes_on_as_another(data, rng, other):
    return data[: int(rng.integers(len(data))) + 1] + other[int(rng.integers(len(other))) :]


CHANGES = (
    _some_bytes,
    _number_in_head,
    _bits_in_head,
    _cut_off,
    _without_block,
    _block_twice,
    _block_of_one_value,
    _block_of_noise,
    _goes_on_as_another,
)


def mutant(number: int, sounds: dict[str, list[bytes]]) -> tuple[str, list[str], bytes]:
    """The format, the changes and the content of a mutant."""
    rng = np.random.default_rng(number)
    name = list(sounds)[number % len(sounds)]
    data, changes = bytearray(sounds[name][int(rng.integers(len(sounds[name])))]), []
    for place in rng.integers(len(CHANGES), size=int(rng.integers(1, 4))):
        if data:
            other = sounds[str(rng.choice(list(sounds)))][0]
            data = CHANGES[place](data, rng, other)
            changes.append(CHANGES[place].__name__.strip("_"))
    if name == "ogg" and rng.random() < 0.75:  # most damage would end at the sum over its page
        data = _with_right_sums(data)
    return name, changes, bytes(data)


def _with_right_sums(data: bytearray) -> bytearray:
    """Ogg with the sum of each page that it should have."""
    starts = [found.start() for found in re.finditer(b"OggS", data)]
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        if end - start >= 27:
            data[start + 22 : start + 26] = bytes(4)
            data[start + 22 : start + 26] = _ogg_sum(data[start:end]).to_bytes(4, "little")
    return data


def _ogg_sum(page: bytes) -> int:
    total = 0
    for byte in page:
        total = (total << 8 & 0xFFFFFFFF) ^ OGG_SUMS[total >> 24 ^ byte]
    return total


def _ogg_sum_of(byte: int) -> int:
    total = byte << 24
    for _ in range(8):
        total = total << 1 ^ (0x104C11DB7 if total >> 31 else 0)
    return total


OGG_SUMS = [_ogg_sum_of(byte) for byte in range(256)]


# ---- The process that hears them


def hear(connection) -> None:
    """Hear what comes, and say what became of it and the most memory so far (MiB), of this process and of a child."""
    os.environ["OMP_NUM_THREADS"] = "1"
    predictor = load_predictor()
    connection.send("ready")
    while True:
        try:
            content = connection.recv_bytes()
        except EOFError:
            return
        connection.send(
            (*_became(predictor, content), *(most_mib(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
        )


def _became(predictor, content: bytes) -> tuple[str, str]:
    try:
        prediction = predictor.predict_file(content)
        probabilities = np.array(list(prediction.probabilities.values()))
        if not np.isfinite(probabilities).all() or abs(probabilities.sum() - 1) > 1e-6:
            return "fault", f"probabilities {probabilities}"
        json.dumps(prediction.as_dict(), allow_nan=False)  # as the page offers it
    except AudioError as error:
        return "refused", str(error)
    except Exception as error:  # what a page would apologise for: the thing that is looked for
        return "fault", f"{type(error).__name__}: {error}"
    return "heard", prediction.verdict


def most_mib(of: int) -> float:
    return resource.getrusage(of).ru_maxrss / 1024


class Hearer:
    """A process that hears mutants."""

    def __init__(self):
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=hear, args=(theirs,), daemon=False)
        self.process.start()
        theirs.close()
        self.connection.recv()  # it is ready

    def hear(self, content: bytes) -> tuple[str, str, float, float]:
        """What became of a mutant; it ends with the process if that crashed or hung."""
        with suppress(OSError):  # it has crashed
            self.connection.send_bytes(content)
        before, start = self._processor_s(), time.monotonic()
        while not self.connection.poll(0.5):
            if self._processor_s() - before > HANG_S or time.monotonic() - start > PATIENCE_S:
                self.end()
                return "hang", f"{time.monotonic() - start:.0f} s", 0.0, 0.0
        try:
            return self.connection.recv()
        except EOFError:
            self.process.join()
            return "crash", f"exit status {self.process.exitcode}", 0.0, 0.0

    def _processor_s(self) -> float:
        """Processor time of the process and of the one that decodes for it."""
        with suppress(psutil.Error):
            one = psutil.Process(self.process.pid)
            return sum(sum(each.cpu_times()[:2]) for each in (one, *one.children()))
        return 0.0

    def end(self) -> None:
        self.connection.close()
        with suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children():
                child.kill()
        self.process.kill()
        self.process.join()


def main(log: str, mutants: str = "10000", minutes: str = "25") -> None:
    done = [json.loads(line) for line in Path(log).read_text().splitlines()] if Path(log).exists() else []
    left = sorted(set(range(int(mutants))) - {one["number"] for one in done})
    until, sounds, hearer = time.monotonic() + 60 * float(minutes), originals(), None
    with open(log, "a") as file:
        for number in left:
            if time.monotonic() > until:
                break
            name, changes, content = mutant(number, sounds)
            hearer = hearer or Hearer()
            start = time.monotonic()
            became, words, own_mib, child_mib = hearer.hear(content)
            if became in ("crash", "hang"):
                hearer = None
            one = {"number": number, "format": name, "changes": changes, "became": became, "words": words}
            done.append(one | {"seconds": round(time.monotonic() - start, 3), "mib": round(own_mib + child_mib)})
            file.write(json.dumps(done[-1]) + "\n")
            file.flush()
    if hearer:
        hearer.end()
    tell(done, int(mutants))


def tell(done: list[dict], wanted: int) -> None:
    """Say how many were heard and refused, and all faults."""
    print(f"{len(done)} of {wanted} mutants")
    for name in sorted({one["format"] for one in done}):
        counts = Counter(one["became"] for one in done if one["format"] == name)
        print(f"  {name}: " + ", ".join(f"{count} {became}" for became, count in counts.most_common()))
    print(
        f"the longest took {max(one['seconds'] for one in done):.1f} s; {max(one['mib'] for one in done)} MiB at most"
    )
    for one in done:
        if one["became"] not in ("heard", "refused"):
            print(f"{one['became']} {one['number']} ({one['format']}: {', '.join(one['changes'])}): {one['words']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
