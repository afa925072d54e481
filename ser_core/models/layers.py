"""Hidden layers of the networks: how many and how large they are, and the bounds within which they can be chosen."""

from collections.abc import Sequence
from dataclasses import dataclass

from ser_core.errors import ModelError

SMALLEST = 4


@dataclass(frozen=True)
class Layers:
    """The hidden layers of a network.

    Parameters
    ----------
    what : str
        What the sizes are.
    usual : tuple of int
        The size of each layer, in order, where none are chosen.
    most : int
        Layers that can be chosen.
    largest : int
        Size of a layer that can be chosen.
    of_a_batch : int
        Batch size times the largest layer, at most, which bounds the memory that a step takes. With `cnn2d`, whose
        layers give a picture for each filter, that is some 2 GB.
    """

    what: str
    usual: tuple[int, ...]
    most: int
    largest: int
    of_a_batch: int

    def check(self, sizes: Sequence[int], batch_size: int) -> None:
        """Check that layers can be chosen, and that one batch fits into memory.

        Parameters
        ----------
        sizes : sequence of int
        batch_size : int

        Raises
        ------
        ModelError
            If there are too few or too many, or one is too small or too large.
        """
        if not 1 <= len(sizes) <= self.most:
            raise ModelError(f"--layers {as_text(sizes)}: give 1 to {self.most} layers, the {self.what}")
        for size in sizes:
            if not SMALLEST <= size <= self.largest:
                raise ModelError(f"--layers: size {size} is out of bounds: give {SMALLEST} to {self.largest}")
        if batch_size * max(sizes) > self.of_a_batch:
            raise ModelError(
                f"A layer of {max(sizes)} with --batch-size {batch_size} takes too much memory: give a batch of "
                f"{self.of_a_batch // max(sizes)} or less, or smaller layers"
            )


LAYERS = {  # key of `networks.BUILDERS` -> its layers
    "cnn": Layers("filters of each convolution", (32, 32, 64, 64, 64, 64, 64, 64), 12, 256, 2**16),
    "head": Layers("units of each dense layer", (256, 128), 4, 512, 2**17),
    "rnn": Layers("units of each LSTM layer", (64, 64), 4, 256, 2**15),
    "cnn2d": Layers("filters of each block of two convolutions", (24, 48, 96, 128), 5, 256, 2**13),
}
OF_A_ROW = Layers(LAYERS["rnn"].what, (64,), 2, 128, 2**15)  # of `rnn` on a row of numbers, which it reads one by one


def of(network: str, features: str) -> Layers:
    """The hidden layers of a network that sees certain features.

    Parameters
    ----------
    network : str
        Key of `networks.BUILDERS`.
    features : str
        Key of a feature set.

    Returns
    -------
    Layers
    """
    return OF_A_ROW if (network, features) == ("rnn", "mean180") else LAYERS[network]


def parse(text: str) -> list[int]:
    """Sizes of layers from text.

    Parameters
    ----------
    text : str
        Whole numbers between commas.

    Returns
    -------
    list of int

    Raises
    ------
    ModelError
        If it is something else.

    Examples
    --------
    >>> parse("32, 64,64")
    [32, 64, 64]
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise ModelError(f"{text[:80]!r} are no sizes of layers: give whole numbers between commas, such as 32,64,64")
    return [int(part) for part in parts]


def as_text(sizes: Sequence[int]) -> str:
    """Sizes of layers as `parse` reads them.

    Parameters
    ----------
    sizes : sequence of int

    Returns
    -------
    str
    """
    return ",".join(map(str, sizes))
