"""The feature sets of openSMILE, with which the field compares: eGeMAPS and ComParE 2016.

openSMILE is an extra (`pip install "ser-core[opensmile]"`). Its licence allows use for research, teaching and private
experiments; commercial use needs a licence of audEERING GmbH. So neither openSMILE nor features made by it ship here.

References
----------
Eyben et al. 2010, "openSMILE: the Munich versatile and fast open-source audio feature extractor".
"""

from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache, partial

import numpy as np
from joblib.externals.loky import ProcessPoolExecutor  # unlike the standard library's, it does not run `__main__` anew

from ser_core import extras
from ser_core.errors import FeatureError
from ser_core.features.feature_set import FeatureSet
from ser_core.features.mean180 import SAMPLE_RATE

MIN_S = 0.5  # shorter clips are padded with silence: below, openSMILE gives no number for some of its statistics

SETS = {  # key -> openSMILE's name, and the contents in words
    "egemaps": ("eGeMAPSv02", "openSMILE's 88 functionals of the Geneva minimalistic set (eGeMAPS v02)"),
    "compare2016": ("ComParE_2016", "openSMILE's 6,373 functionals of the ComParE challenge (2016)"),
}


def load(key: str) -> FeatureSet:
    """The feature set of that key. Its version includes openSMILE's.

    Parameters
    ----------
    key : {"egemaps", "compare2016"}

    Returns
    -------
    FeatureSet

    Raises
    ------
    MissingPackageError
        If openSMILE is not installed.

    References
    ----------
    Eyben et al. 2016, "The Geneva minimalistic acoustic parameter set (GeMAPS)".
    Schuller et al. 2016, "The INTERSPEECH 2016 computational paralinguistics challenge".
    """
    extras.require("opensmile", f"The feature set {key}")
    import opensmile

    names = tuple(_beside().submit(_names, key).result())
    version = f"{key}@opensmile-{opensmile.__version__}"
    return FeatureSet(key, version, SETS[key][1], partial(_extract, key), names)


@lru_cache
def _beside() -> ProcessPoolExecutor:
    """A process for openSMILE alone: in one that held models, it aborted, or gave numbers that differed a little."""
    return ProcessPoolExecutor(1)


@lru_cache
def _smile(key: str):
    """One extractor for all clips: setting it up takes as long as one of them."""
    import opensmile

    level = opensmile.FeatureLevel.Functionals
    return opensmile.Smile(feature_set=opensmile.FeatureSet[SETS[key][0]], feature_level=level)


def _names(key: str) -> list[str]:
    return _smile(key).feature_names


def _extract(key: str, samples: np.ndarray) -> np.ndarray:
    padded = np.pad(samples, (0, max(0, round(MIN_S * SAMPLE_RATE) - len(samples))))
    try:
        return _beside().submit(_measured, key, padded).result()
    except BrokenProcessPool as error:
        _beside.cache_clear()
        raise FeatureError(f"openSMILE failed on a clip of {len(samples) / SAMPLE_RATE:.1f} s. Leave it out") from error


def _measured(key: str, samples: np.ndarray) -> np.ndarray:
    return _smile(key)(samples, SAMPLE_RATE)[0, :, 0]
