"""`predict`: the emotion that a trained model predicts for recordings."""

import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import SpooledTemporaryFile, gettempdir

import numpy as np

from ser_core import audio, corpus, files
from ser_core.cli.screen import complain, print_table, progress, say
from ser_core.errors import AudioError, CorpusError, ModelError, ReportError
from ser_core.features.mean180 import SAMPLE_RATE
from ser_core.prediction import model_store, turns
from ser_core.prediction.predictor import Predictor
from ser_core.prediction.report import Sheet, report

FORMATS = ("table", "csv")
IN_MEMORY_BYTES = 256 * 2**20  # of decoded recordings that are one person's; about 50 minutes


def predict(options, settings):
    """Print the emotion that a trained model predicts for each file, and write a report where one is asked for."""
    if options.format not in FORMATS:
        raise ModelError(f"There is no format {options.format!r}; there is {', '.join(FORMATS)}")
    if options.report_file:
        settings.require_writable("report")
        _check_place(options.report_file)
    predictor = Predictor.load(model_store.find(options.model, settings.stores))
    predictions, sheets, errors = [], [], []

    def leave_out(file, reason):
        errors.append({"file": file, "error": reason.removeprefix(f"{file}: ")})
        complain(f"{file}: {errors[-1]['error']}")

    sounds = _decoded(options.files, leave_out)
    with (
        _knowing_the_speaker(predictor, sounds, options) as (predictor, sounds, knows),
        progress("Listening", "turn", options) as advance,
    ):
        for file, truth, waveform in sounds:
            prediction = predictor.predict(waveform, progress=advance)
            predictions.append({"file": file} | prediction.as_dict() | truth)
            if options.report_file:
                sheets.append(Sheet.of(Path(file).name, waveform, prediction, **knows))
    if options.report_file:
        _write_report(options.report_file, sheets, predictor.entry)

    def show():
        if predictions and options.format == "csv":
            print(files.as_csv(turns.table(predictions, by_turn=options.turns)), end="")
        elif predictions:
            title, show_rows = f"Predictions of {predictor.entry.name}", _show_turns if options.turns else _show_files
            show_rows(title, predictions)
            say(f"{'. '.join(predictor.entry.worth)}.")

    answer = {"predictions": predictions, **knows, "errors": errors, "worth": list(predictor.entry.worth)}
    return answer, 2 if errors else 0, show


@contextmanager
def _knowing_the_speaker(predictor, sounds, options):
    """The predictor that has heard the speaker before, if so wanted; the sounds to hear; what the JSON says of it."""
    if options.speaker_neutral and options.one_speaker:
        raise ModelError("--speaker-neutral and --one-speaker are two ways to know a speaker: give one of them")
    if options.speaker_neutral:
        known = (audio.load(file, rate=SAMPLE_RATE) for file in options.speaker_neutral)
        speaker = f"neutral:{len(options.speaker_neutral)}"
        yield predictor.of_speaker(known, "neutral"), sounds, {"speaker": speaker}
    elif options.one_speaker:
        with SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
            aside = _SetAside(sounds, file)
            if aside.others:
                predictor = predictor.of_speaker(waveform for *_, waveform in aside)
            yield predictor, aside, {"speaker": f"all:{len(aside.others)}"} if aside.others else {}
    else:
        yield predictor, sounds, {}


class _SetAside:
    """Decoded recordings to go through more than once: small ones in memory, more in a file that goes by itself."""

    def __init__(self, sounds, file):
        self.file, self.others = file, []
        try:
            for name, truth, waveform in sounds:
                np.save(file, waveform.samples, allow_pickle=False)
                self.others.append((name, truth, replace(waveform, samples=np.empty(0, np.float32))))
        except OSError as error:
            raise AudioError(
                f"{gettempdir()} has no room for the decoded recordings ({error.strerror}). Give fewer, or set TMPDIR "
                "to a folder that has"
            ) from error

    def __iter__(self):
        self.file.seek(0)
        for name, truth, waveform in self.others:
            yield name, truth, replace(waveform, samples=np.load(self.file, allow_pickle=False))


def _decoded(files: list[str], leave_out):
    """Each recording that can be decoded, with its true emotion if a manifest gives it."""
    for file, truth in _clips(files, leave_out):
        try:
            waveform = audio.load(Path(file), rate=SAMPLE_RATE)
        except AudioError as error:
            leave_out(file, str(error))
        else:
            yield file, truth, waveform


def _check_place(file: Path) -> None:
    """Refuse a place where no report can be written, before anything is heard."""
    if os.path.isdir(file):
        raise ReportError(f"{file} is a folder: name a file for --report, such as {file / 'report.html'}")
    if file.suffix.lower() not in (".html", ".htm"):  # such as a recording, which would be lost
        raise ReportError(f"{file}: a report is an HTML file. Give --report a name that ends in .html")
    if not os.path.isdir(file.parent):
        raise ReportError(f"{file} cannot be written: there is no folder {file.parent}. Make it, or name another place")


def _write_report(file: Path, sheets: list[Sheet], entry: model_store.ModelEntry) -> None:
    if not sheets:
        complain(f"No report was written to {file}, because no recording could be heard.")
        return
    try:
        with files.atomically(file) as part:
            part.write_text(report(sheets, entry), encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{file} cannot be written ({error.strerror}). Name another place with --report") from error
    complain(f"Report on {len(sheets)} recording{'s' * (len(sheets) > 1)}: {file}")


def _show_files(title, predictions):
    has_truth = any("truth" in item for item in predictions)
    columns = ["file", "answer", "voice", "claimed", *["true emotion"] * has_truth, "why, and what to mind"]
    rows = [
        (
            item["file"],
            item["answer"],
            item["gender"] or "",
            "" if item["emotion"] is None else f"{item['emotion_probability']:.2f}",
            *[item.get("truth", "")] * has_truth,
            "\n".join([item["reason"], *item["warnings"]]),
        )
        for item in predictions
    ]
    print_table(title, columns, rows)


def _show_turns(title, predictions):
    rows = [
        (
            item["file"],
            number,
            *(("", "") if turn["start_s"] is None else (f"{turn['start_s']:.1f}", f"{turn['end_s']:.1f}")),
            turn["answer"],
            turn["gender"] or "",
            "" if turn["emotion"] is None else f"{turn['probabilities'][turn['emotion']]:.2f}",
        )
        for item in predictions
        for number, turn in enumerate(turns.of_answer(item), start=1)
    ]
    print_table(title, ["file", "turn", "from (s)", "to (s)", "answer", "voice", "claimed"], rows)


def _clips(files: list[str], leave_out):
    """Each recording, with its true emotion if a manifest gives it."""
    for file in files:
        if not corpus.is_manifest(file):
            yield file, {}
            continue
        try:
            found = corpus.index(file)
        except CorpusError as error:
            leave_out(file, str(error))
            continue
        for item in found.rejected:
            leave_out(item.file, item.reason)
        for path, emotion in zip(found.clips["path"], found.clips["emotion"], strict=True):
            yield str(found.folder / path), {"truth": emotion}
