import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ser_core import extras
from ser_core.errors import MissingPackageError
from ser_core.features import registry, smile, tables
from ser_core.models import registry as models

NUMBER = {"egemaps": 88, "compare2016": 6373}


@pytest.fixture
def opensmile():
    return pytest.importorskip("opensmile")


@pytest.mark.parametrize("key", smile.SETS)
def test_the_numbers_are_those_of_opensmile(opensmile, spoken, key, tmp_path):
    """In a process that holds nothing else: what other native libraries set there changes its numbers."""
    features = registry.get(key)
    np.save(tmp_path / "spoken.npy", spoken)
    code = (
        f"import numpy, opensmile; extractor = opensmile.Smile(opensmile.FeatureSet[{smile.SETS[key][0]!r}]);"
        "extractor.process_signal(numpy.load('spoken.npy'), 22_050).to_parquet('plain.parquet')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    plain = pd.read_parquet(tmp_path / "plain.parquet")
    assert features.names == tuple(plain.columns) and len(features.names) == NUMBER[key]
    np.testing.assert_array_equal(features.of([spoken])[0], plain.to_numpy()[0])
    assert features.version == f"{key}@opensmile-{opensmile.__version__}"


@pytest.mark.parametrize("key", smile.SETS)
@pytest.mark.parametrize("samples", [1, 2_000, 11_025])
def test_short_clips_have_finite_numbers(opensmile, spoken, key, samples):
    assert np.isfinite(registry.get(key).of([spoken[5_000 : 5_000 + samples]])).all()


def test_a_table_is_read_where_opensmile_is_not_installed(table, tmp_path, monkeypatch):
    index = table.drop(columns=list(registry.MEAN180.names))
    made = index.assign(**{name: np.float32(1.5) for name in ("F0semitone", "jitter")})
    made.attrs[tables.VERSION] = "egemaps@opensmile-2.6.0"
    tables.save(made, tmp_path / "T.parquet")
    monkeypatch.setitem(sys.modules, "opensmile", None)
    features = tables.features_of(tables.read(tmp_path / "T.parquet"))
    assert (features.key, features.names) == ("egemaps", ("F0semitone", "jitter"))


@pytest.mark.parametrize("key", smile.SETS)
def test_models_of_tables_take_it(key):
    assert models.recipe("svm", features=key).features == key
    assert "openSMILE" in registry.title_of(key)


def test_without_opensmile_one_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(MissingPackageError) as caught:
        registry.get("egemaps")
    assert str(caught.value).startswith("The feature set egemaps needs openSMILE, which is not installed: pip install")
    assert "requirements-opensmile.txt" in str(caught.value)


def test_the_extra_is_known():
    assert extras.EXTRAS["opensmile"][0] == "openSMILE"
