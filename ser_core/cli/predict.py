"""`predict`: the emotion that a trained model predicts for recordings."""

import os
from pathlib import Path

from ser_core import audio, corpus
from ser_core.cli.screen import complain, print_table, say
from ser_core.errors import AudioError, CorpusError, ReportError
from ser_core.features.mean180 import SAMPLE_RATE
from ser_core.files import atomically
from ser_core.prediction import model_store
from ser_core.prediction.predictor import Predictor
from ser_core.prediction.report import Sheet, report


def predict(options, settings):
    """Print the emotion that a trained model predicts for each file, and write a report where one is asked for."""
    if options.report_file:
        settings.require_writable("report")
        _check_place(options.report_file)
    predictor = Predictor.load(model_store.find(options.model, settings.stores))
    predictions, answers, sheets, errors = [], [], [], []

    def leave_out(file, reason):
        errors.append({"file": file, "error": reason.removeprefix(f"{file}: ")})
        complain(f"{file}: {errors[-1]['error']}")

    for file, truth in _clips(options.files, leave_out):
        try:
            waveform = audio.load(Path(file), rate=SAMPLE_RATE)
            prediction = predictor.predict(waveform)
            predictions.append({"file": file} | prediction.as_dict() | truth)
            answers.append(prediction.answer)
            if options.report_file:
                sheets.append(Sheet.of(Path(file).name, waveform, prediction))
        except AudioError as error:
            leave_out(file, str(error))
    if options.report_file:
        _write_report(options.report_file, sheets, predictor.entry)

    def show():
        if predictions:
            has_truth = any("truth" in item for item in predictions)
            columns = ["file", "answer", "voice", "claimed", *["true emotion"] * has_truth, "why, and what to mind"]
            rows = [
                (
                    item["file"],
                    answer,
                    item["gender"] or "",
                    "" if item["emotion"] is None else f"{item['emotion_probability']:.2f}",
                    *[item.get("truth", "")] * has_truth,
                    "\n".join([item["reason"], *item["warnings"]]),
                )
                for item, answer in zip(predictions, answers, strict=True)
            ]
            title = f"Predictions of {predictor.entry.name}"
            print_table(title, columns, rows)
            say(f"{'. '.join(predictor.entry.worth)}.")

    answer = {"predictions": predictions, "errors": errors, "worth": list(predictor.entry.worth)}
    return answer, 2 if errors else 0, show


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
        with atomically(file) as part:
            part.write_text(report(sheets, entry), encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{file} cannot be written ({error.strerror}). Name another place with --report") from error
    complain(f"Report on {len(sheets)} recording{'s' * (len(sheets) > 1)}: {file}")


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
