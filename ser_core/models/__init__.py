"""Models: what there is (`registry`), how each is built (`classical`, `ensembles`), and what all share
(`emotion_classifier`)."""
