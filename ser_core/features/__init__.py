"""Feature extraction, from the registry of feature sets to tables on disk.

`registry` lists the feature sets: the original study's 180 features (`mean180`), `functionals`, `prosody` (loudness and
pitch), `frames`, and pretrained image networks (`backbones`). `tables` and `store` keep features; `spectrogram` is for
plots.
"""
