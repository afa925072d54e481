"""Preprocessing of features. It is the first part of a model's pipeline, so it is fitted on training clips only.

"plain" is what the original authors' models have: standardised features. "tailored" does more, chosen by five-fold
cross-validation on the original's training part:

- Mel power is heavy-tailed (a shout has a thousand times the power of a murmur): it is converted to dB, then
  standardised.
- `distance`: for models that measure distances, or whose weights are penalised, the 40 MFCC are multiplied by 4, since
  they would be outweighed by 128 highly correlated mel bands; all features are then softly whitened.
- `tree`: a single tree, or one on few features, splits on one feature at a time. It gets 15 linear discriminants
  (Fisher 1936) beside the 180, the directions in which the classes are furthest apart.
- `forest`: forests and boosting gained nothing from either.

The functionals are many and correlated. `distance` models get their 300 strongest principal components: as accurate in
cross-validation as all of them, with a model of a quarter of the size. The others get them standardised.
"""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ser_core.features.mean180 import LOG_FLOOR, NAMES
from ser_core.models.augmented import AugmentedClassifier
from ser_core.models.recipe import Recipe

VERSION = "views-1"  # Saved with every run: raise it with any change below.

MFCC_WEIGHT = 4.0  # best of 1, 2, 3, 4, 6
WHITENING = 0.3  # best of 0, 0.1, 0.2, 0.3, 0.5, 0.7, 1
LDA_SHRINKAGE = 0.05  # of the covariance towards the identity: neighbouring mel bands are highly correlated

_MFCC = slice(0, NAMES.index("chroma_C"))
_MEL = slice(NAMES.index("mel_001"), None)


def to_decibels(features: np.ndarray) -> np.ndarray:
    """The 180 features with their mel power in dB.

    Parameters
    ----------
    features : np.ndarray [shape=(n, 180)]

    Returns
    -------
    np.ndarray [shape=(n, 180), dtype=float64]
    """
    result = np.array(features, dtype=np.float64)
    result[:, _MEL] = 10 * np.log10(np.maximum(result[:, _MEL], LOG_FLOOR))
    return result


def weigh_mfcc(features: np.ndarray) -> np.ndarray:
    """Standardised features with the MFCC multiplied by `MFCC_WEIGHT`.

    Parameters
    ----------
    features : np.ndarray [shape=(n, 180)]

    Returns
    -------
    np.ndarray [shape=(n, 180)]
    """
    result = np.array(features)
    result[:, _MFCC] *= MFCC_WEIGHT
    return result


class SoftWhitener(PCA):
    """Principal components, each divided by a power of its standard deviation.

    Power 0 leaves distances unchanged; 1 whitens: all components get the same variance. Values between them shrink the
    few strong directions (loudness, gender) without amplifying the weak ones. The mean variance is scaled to 1.

    Parameters
    ----------
    power : float
        From 0 to 1.
    at_most : int, optional
        Number of components to keep; fewer clips have fewer.
    """

    def __init__(self, power: float = WHITENING, at_most: int | None = None):
        super().__init__(svd_solver="full")
        self.power = power
        self.at_most = at_most

    components_: np.ndarray
    explained_variance_: np.ndarray

    def fit(self, features: np.ndarray, labels=None) -> "SoftWhitener":
        """Fit the rotation and the scales.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]
        labels
            Not used.

        Returns
        -------
        SoftWhitener
        """
        super().fit(features)
        self.components_ = self.components_[: self.at_most]
        self.explained_variance_ = self.explained_variance_[: self.at_most]
        variance = np.maximum(self.explained_variance_, 1e-9)
        scale = variance ** (-self.power / 2)
        self.scale_ = scale / np.sqrt(np.mean(variance * scale**2))
        return self

    def transform(self, features: np.ndarray) -> np.ndarray:
        """Rotate and scale.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]

        Returns
        -------
        np.ndarray [shape=(n, components)]
        """
        return super().transform(features) * self.scale_

    def fit_transform(self, features: np.ndarray, labels=None) -> np.ndarray:
        """Fit, then transform the same features.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]
        labels
            Not used.

        Returns
        -------
        np.ndarray [shape=(n, components)]
        """
        return self.fit(features).transform(features)


COMPONENTS = 300  # of the functionals; best of 200, 300, 400


def _with_discriminants() -> list:
    return [make_union("passthrough", LinearDiscriminantAnalysis(solver="eigen", shrinkage=LDA_SHRINKAGE))]


# Feature set -> view -> steps after standardisation; of other sets and of "forest", none.
TAILORED = {
    "mean180": {
        "distance": lambda: [FunctionTransformer(weigh_mfcc), SoftWhitener()],
        "tree": _with_discriminants,
    },
    "functionals": {
        "distance": lambda: [SoftWhitener(power=0.0, at_most=COMPONENTS)],
        "tree": _with_discriminants,
    },
}


def with_preprocessing(classifier, view: str, recipe: Recipe) -> Pipeline | AugmentedClassifier:
    """A classifier behind a recipe's preprocessing, trained on copies of clips where the recipe has augmentation.

    Parameters
    ----------
    classifier : scikit-learn classifier
        Unfitted.
    view : {"distance", "forest", "tree"}
        What kind of classifier it is.
    recipe : Recipe

    Returns
    -------
    Pipeline or AugmentedClassifier
        Unfitted.
    """
    steps = [StandardScaler()]
    if recipe.preprocessing == "tailored":
        steps += TAILORED.get(recipe.features, {}).get(view, list)()
        if recipe.features == "mean180":
            steps.insert(0, FunctionTransformer(to_decibels))
    pipeline = make_pipeline(*steps, classifier)
    return pipeline if recipe.augmentation == "none" else AugmentedClassifier(pipeline)


def finds_discriminants(view: str, recipe: Recipe) -> bool:
    """Whether the preprocessing computes linear discriminants, for which a class must have more clips than one.

    Parameters
    ----------
    view : {"distance", "forest", "tree"}
    recipe : Recipe

    Returns
    -------
    bool
    """
    return view == "tree" and recipe.preprocessing == "tailored" and recipe.features in TAILORED


def width(recipe: Recipe, features: int) -> int:
    """The number of dimensions after preprocessing, for models that measure distances.

    Parameters
    ----------
    recipe : Recipe
    features : int
        Number of features before it.

    Returns
    -------
    int
    """
    is_reduced = recipe.features == "functionals" and recipe.preprocessing == "tailored"
    return min(features, COMPONENTS) if is_reduced else features
