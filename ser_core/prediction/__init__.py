"""Trained models on disk, and their predictions for recordings."""
