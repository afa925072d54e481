"""`predict`: the emotion that a trained model predicts for recordings."""

from pathlib import Path

from ser_core import corpus, files
from ser_core.cli.screen import complain, print_table, progress, say
from ser_core.errors import AudioError, CorpusError, ModelError
from ser_core.prediction import model_store, turns
from ser_core.prediction.predictor import Predictor

FORMATS = ("table", "csv")


def predict(options, settings):
    """Print the emotion that a trained model predicts for each file."""
    if options.format not in FORMATS:
        raise ModelError(f"There is no format {options.format!r}; there is {', '.join(FORMATS)}")
    predictor = Predictor.load(model_store.find(options.model, settings.stores))
    predictions, errors = [], []

    def leave_out(file, reason):
        errors.append({"file": file, "error": reason.removeprefix(f"{file}: ")})
        complain(f"{file}: {errors[-1]['error']}")

    with progress("Listening", "turn", options) as advance:
        for file, truth in _clips(options.files, leave_out):
            try:
                prediction = predictor.predict_file(Path(file), progress=advance)
                predictions.append({"file": file} | prediction.as_dict() | truth)
            except AudioError as error:
                leave_out(file, str(error))

    def show():
        if predictions and options.format == "csv":
            print(files.as_csv(turns.table(predictions, by_turn=options.turns)), end="")
        elif predictions:
            title, show_rows = f"Predictions of {predictor.entry.name}", _show_turns if options.turns else _show_files
            show_rows(title, predictions)
            say(f"{'. '.join(predictor.entry.worth)}.")

    answer = {"predictions": predictions, "errors": errors, "worth": list(predictor.entry.worth)}
    return answer, 2 if errors else 0, show


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
