"""Models: which there are (`registry`), how each is built, and the interface that all share (`emotion_classifier`)."""
