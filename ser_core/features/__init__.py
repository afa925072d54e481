"""Features of clips, from the registry of feature sets to tables on disk.

`registry` lists the feature sets: the study's 180 numbers (`mean180`), `functionals`, `prosody` (loudness and pitch),
`frames`, and pretrained image networks (`backbones`). `tables` and `store` keep them; `spectrogram` draws.
"""
