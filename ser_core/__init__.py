"""Speech emotion recognition on RAVDESS: the study's features, models and protocols, and a predictor.

Importing it loads nothing heavy; a name below loads what it needs when it is first used.

>>> import ser_core
>>> corpus = ser_core.index("ravdess/")                                 # doctest: +SKIP
>>> predictor = ser_core.load_predictor()                               # doctest: +SKIP
>>> predictor.predict_file("clip.wav").emotion                          # doctest: +SKIP
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["audio", "corpus", "evaluation", "experiments", "features", "models", "prediction", "results"],
    submod_attrs={
        "corpus": ["index"],
        "errors": ["SerError"],
        "prediction.predictor": ["Prediction", "Predictor", "load_predictor"],
        "settings": ["Settings"],
    },
)
