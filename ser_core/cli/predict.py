"""`predict`: the emotion that a trained model predicts for recordings."""

from pathlib import Path

from ser_core import corpus
from ser_core.cli.screen import complain, print_table, say
from ser_core.errors import AudioError, CorpusError
from ser_core.prediction import model_store
from ser_core.prediction.predictor import Predictor


def predict(options, settings):
    """Print the emotion that a trained model predicts for each file."""
    predictor = Predictor.load(model_store.find(options.model, settings.stores))
    predictions, answers, errors = [], [], []

    def leave_out(file, reason):
        errors.append({"file": file, "error": reason.removeprefix(f"{file}: ")})
        complain(f"{file}: {errors[-1]['error']}")

    for file, truth in _clips(options.files, leave_out):
        try:
            prediction = predictor.predict_file(Path(file))
            predictions.append({"file": file} | prediction.as_dict() | truth)
            answers.append(prediction.answer)
        except AudioError as error:
            leave_out(file, str(error))

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
