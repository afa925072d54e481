import subprocess
import sys

import pytest

from ser_core.cli import main
from ser_core.settings import PROJECT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "cnn99"), "no model 'cnn99'"),
        (("run", "lr", "--protocol", "random"), "no protocol 'random'"),
        (("run", "lr", "--preset", "fast"), "no preset 'fast'"),
        (("run", "lr", "--features", "nowhere.parquet"), "no feature table nowhere.parquet"),
        (("predict", "x.wav", "--model", "svm"), "no trained model 'svm'"),
        (("extract", "nowhere", "--out", "x.parquet"), "no folder nowhere"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_2(call, arguments, said):
    status, answer, error = call(*arguments)
    assert (status, answer) == (2, None)
    assert said in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "lr", "--jobs", "0"), "0 processes do nothing"),
        (("run", "lr", "--seed", "-1"), "-1 is no seed"),
        (("train", "lr", "--loud"), "unrecognized arguments"),
        (("sing",), "invalid choice"),
    ],
)
def test_a_wrong_option_is_explained_and_exit_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*arguments])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("index",), ("run", "kn"), ("compare",), ("doctor",), ("predict",), ("extract",)]
)
def test_without_json_a_person_reads_it(arguments, voices, file, tmp_path, capsys):
    command, *more = arguments
    more += {
        "index": [voices],
        "run": ["--features", file, "--jobs", 1],
        "predict": [voices / "Actor_01" / "03-01-05-01-01-01-01.wav"],
        "extract": [voices, "--out", tmp_path / "out.parquet", "--jobs", 1],
    }.get(command, [])
    assert main([command, *map(str, more)]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 1


def test_the_package_is_imported_fast_and_brings_nothing_heavy():
    code = """
import time
start = time.perf_counter()
import ser_core, sys
print(time.perf_counter() - start)
print([name for name in ("tensorflow", "streamlit", "sklearn", "librosa", "pandas") if name in sys.modules])
"""
    printed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    seconds, heavy = printed.stdout.splitlines()
    assert heavy == "[]"
    assert float(seconds) < 0.5


@pytest.mark.parametrize("module", ["cli", "prediction.predictor", "experiments", "cli.health", "figures.prediction"])
def test_no_module_brings_streamlit_or_tensorflow(module):
    code = (
        f"import ser_core.{module}, sys; print([n for n in ('tensorflow', 'keras', 'streamlit') if n in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"
