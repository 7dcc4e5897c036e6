"""Rows as forecasters see them: segments, what a prediction reads of them, and rollouts."""

from narxkit.rows.reach import Reach, of_outputs
from narxkit.rows.rollouts import (
    Rollouts,
    lay_rollouts,
    one_after_another,
    rollouts_from_everywhere,
)
from narxkit.rows.segments import Segments

__all__ = [
    "Reach",
    "Rollouts",
    "Segments",
    "lay_rollouts",
    "of_outputs",
    "one_after_another",
    "rollouts_from_everywhere",
]
