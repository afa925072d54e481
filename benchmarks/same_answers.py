"""Whether two checkouts give the same answers: predictions, comparisons and what every page's charts say.

    python benchmarks/same_answers.py save ANSWERS.json [--checkout DIR]
    python benchmarks/same_answers.py compare BEFORE.json AFTER.json

`save` asks a checkout (by its command line and in Streamlit's test runner, with this Python) for the predictions of 60
RAVDESS clips by every shipped model, `compare` under all protocols and kinds, and the sentences (`alt`) of the charts
of every page in each of its views. `compare` lists what differs; the exit status is 1 if anything does.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROTOCOLS = (
    "study", "study-speech", "repetition", "statement", "actors-6", "emobox", "emobox+song", "luna-jimenez"
)  # fmt: skip
KINDS = ("class", "emotion", "gender")
MODELS = ("v4", "krr", "cnn", "cnn2d", "best")
CLIPS = 60
VIEW_WIDGETS = ("view", "show", "folds", "views")  # what changes which charts a page shows

PAGES = """
import json, sys
from streamlit.testing.v1 import AppTest

WIDGETS = {widgets!r}
PAGES = ("overview", "dataset", "sound", "features", "predict", "tune", "train", "compare", "honest", "jobs")

def said(app):
    assert not app.exception, app.exception
    texts = [element.value for kind in ("title", "header", "markdown", "caption", "error") for element in app.get(kind)]
    return dict(alt=[chart.proto.alt for chart in app.get("plotly_chart")], text=texts)

found = {{}}
def look(page, **address):
    app = AppTest.from_file("router.py", default_timeout=120).run()
    app.switch_page(f"pages/{{page}}.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()

for page in PAGES:
    app = look(page)
    found[page] = said(app)
    for widget in [one for one in app.get("button_group") if one.key in WIDGETS]:
        for option in widget.options:
            found[f"{{page}} {{widget.key}}={{option}}"] = said(look(page, **{{widget.key: option}}))
found["sound, two clips"] = said(look("sound", clip="03-01-05-02-01-01-12", other="03-01-02-02-01-01-12"))
json.dump(found, open(sys.argv[1], "w"))
"""


def save(checkout: Path, out: Path, data: Path) -> None:
    """Ask a checkout for all its answers."""
    with tempfile.TemporaryDirectory() as workspace:
        environment = os.environ | {"SER_WORKSPACE": workspace, "SER_DATA_DIR": str(data), "PYTHONPATH": str(checkout)}

        def call(*arguments: str) -> str:
            done = subprocess.run(
                [sys.executable, *arguments], cwd=checkout, env=environment, capture_output=True, text=True
            )
            if done.returncode:
                sys.exit(f"{' '.join(arguments[:6])}: {done.stderr[-3000:]}")
            return done.stdout

        def answer(*arguments: str) -> dict:
            return json.loads(call("-m", "ser_core", *arguments, "--json").splitlines()[-1])

        pages = Path(workspace) / "pages.json"
        call("-c", PAGES.format(widgets=VIEW_WIDGETS), str(pages))
        files = sorted(data.glob("**/*.flac"))
        files = [str(file) for file in files[:: len(files) // CLIPS][:CLIPS]]
        said = {f"predict {model}": answer("predict", *files, "--model", model) for model in MODELS}
        for protocol in PROTOCOLS:
            for kind in KINDS:
                said[f"compare {protocol} {kind}"] = answer("compare", "--protocol", protocol, "--kind", kind)
        said["compare pairs"] = answer("compare", "--pairs", "v4", "mlp", "xgb", "--kind", "emotion")
        said |= {f"page {name}": value for name, value in json.loads(pages.read_text()).items()}
    out.write_text(json.dumps(said))
    print(f"{len(said)} answers of {checkout} in {out}")


def differences(before, after, where: str = "") -> list[str]:
    """Every place in which two answers differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = [f"{where}: {key} is gone" for key in before if key not in after]
        found += [f"{where}: {key} is new" for key in after if key not in before]
        for key in before:
            if key in after:
                found += differences(before[key], after[key], f"{where}/{key}")
        return found
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            line
            for n, pair in enumerate(zip(before, after, strict=True))
            for line in differences(*pair, f"{where}[{n}]")
        ]
    return [] if before == after else [f"{where}: {before!r} -> {after!r}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("save", "compare"))
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--checkout", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SER_DATA_DIR", "../shared/data/ravdess")))
    options = parser.parse_args()
    if options.what == "save":
        save(options.checkout.resolve(), options.files[0], options.data.resolve())
        return 0
    before, after = (json.loads(file.read_text()) for file in options.files)
    found = differences(before, after)
    for line in found:
        print(line if len(line) < 400 else f"{line[:400]} ...")
    print(f"{len(before)} answers, {len(found)} differences")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
