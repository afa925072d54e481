"""Decoding M4A and WebM in a process of its own, with a limit on its time and memory.

FFmpeg's demuxers build tables of whatever a file lists (tags, pieces, edits) before a single sample is decoded, so a
small hostile file can cost hours or gigabytes. No check of the file foresees that: the process is ended instead. What
comes back is a line of JSON and samples, never an object, so a child that was taken over cannot take over its parent.
"""

import json
import subprocess
import sys
from dataclasses import asdict

import numpy as np

from ser_core.audio.decoding import decode as decode_here
from ser_core.audio.waveform import Limits, Waveform
from ser_core.errors import AudioError
from ser_core.settings import child_environment

SECONDS = 20  # of a processor; ten minutes of sound take about two
MEMORY = 2 * 2**30  # bytes of address space, most of it the libraries'


def decode(data: bytes, rate: int, limits: Limits) -> Waveform:
    """`decoding.decode` in a child process.

    Raises
    ------
    AudioError
        As there; and if the child had to be ended.
    """
    command = [sys.executable, "-m", "ser_core.audio.sandbox", str(SECONDS), str(rate), json.dumps(asdict(limits))]
    try:
        child = subprocess.run(command, input=data, capture_output=True, env=child_environment(), timeout=2 * SECONDS)
    except subprocess.TimeoutExpired:
        child = None
    if child is None or child.returncode:
        raise AudioError(
            f"The file could not be decoded within {SECONDS} s and {MEMORY / 2**30:.0f} GB of memory: it is damaged. "
            "Export it again as WAV, FLAC, OGG or MP3."
        )
    head, _, samples = child.stdout.partition(b"\n")
    answer = json.loads(head)
    if "error" in answer:
        raise AudioError(answer["error"])
    answer["warnings"] = tuple(answer["warnings"])
    return Waveform(samples=np.frombuffer(samples, dtype=np.float32), **answer)


def _main(seconds: str, rate: str, limits: str) -> None:
    data = sys.stdin.buffer.read()
    import av  # noqa: F401  # before memory is limited: libraries are large, sound is not

    _limit(int(seconds))
    try:
        waveform = decode_here(data, int(rate), Limits(**json.loads(limits)))
    except AudioError as error:
        sys.stdout.buffer.write(json.dumps({"error": str(error)}).encode())
        return
    answer = {name: value for name, value in vars(waveform).items() if name != "samples"}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + waveform.samples.tobytes())


def _limit(seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the time-out of the parent holds there
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    _main(*sys.argv[1:])
