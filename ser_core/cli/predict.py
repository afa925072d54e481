"""`predict`: what a trained model hears."""

from pathlib import Path

from ser_core.cli.screen import err, out, print_table


def add(command) -> None:
    sub = command("predict", predict, "which emotion a trained model hears in each file")
    sub.add_argument("files", nargs="+", metavar="FILE")
    sub.add_argument("--model", default="best", metavar="KEY", help="a trained model (default: best)")


def predict(options, settings):
    from ser_core.errors import AudioError
    from ser_core.prediction import model_store
    from ser_core.prediction.predictor import Predictor

    predictor = Predictor.load(model_store.find(options.model, settings.stores))
    predictions, errors = [], []
    for file in options.files:
        try:
            predictions.append({"file": file} | predictor.predict_file(Path(file)).as_dict())
        except AudioError as error:
            errors.append({"file": file, "error": str(error).removeprefix(f"{file}: ")})
            err.print(f"{file}: {errors[-1]['error']}", markup=False, soft_wrap=True, highlight=False)

    def show():
        if predictions:
            rows = [
                (
                    item["file"],
                    item["emotion"],
                    item["gender"],
                    f"{item['emotion_probability']:.2f}",
                    "\n".join(item["warnings"]),
                )
                for item in predictions
            ]
            title = f"What {predictor.entry.name} hears"
            print_table(title, ["file", "emotion", "voice", "probability", "mind"], rows)
            out.print(f"{'. '.join(predictor.entry.worth)}.", highlight=False, soft_wrap=True)

    answer = {"predictions": predictions, "errors": errors, "worth": list(predictor.entry.worth)}
    return answer, 2 if errors else 0, show
