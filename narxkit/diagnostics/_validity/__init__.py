"""The rows that `residuals` analyses, its tests and comparisons, and the verdicts on them."""
