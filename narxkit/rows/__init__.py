"""Rows as forecasters see them: segments, what a prediction reads of them, and rollouts."""
