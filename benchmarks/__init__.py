"""Measurements of speed, memory, start-up time and accuracy: ``python -m benchmarks``.

Every claim of speed or memory is a comparison within one run: what narxkit does and a reference
for it take turns, and medians are compared. A suite is a list of `harness.Case`; one more row is
one more case.
"""
