"""Tuning: search spaces, the storage that workers share, what a trial does, and studies from start to preset."""
