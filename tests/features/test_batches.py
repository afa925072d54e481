import subprocess
import sys


def test_a_worker_imports_no_more_than_it_needs():
    heavy = {"pandas", "pyarrow", "sklearn", "scipy.stats", "av", "streamlit", "tensorflow"}
    code = f"import sys, ser_core.features.batches; print(sorted({heavy} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_the_command_that_extracts_starts_without_what_only_others_need():
    heavy = {"sklearn", "scipy.stats", "scipy.signal", "av", "numba", "streamlit", "tensorflow"}
    code = f"import sys, ser_core.cli.data; print(sorted({heavy} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
