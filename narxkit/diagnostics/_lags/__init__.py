"""The arguments of `lags` as a table of candidates, the evidence for each, and its picture."""
