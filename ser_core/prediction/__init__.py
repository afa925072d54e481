"""Trained models on disk, and what they hear in a recording."""
