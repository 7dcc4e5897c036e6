"""The single tests, the words and the picture of `stochasticity_report`."""
