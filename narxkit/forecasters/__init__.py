"""Forecasters: the verbs, the conductor of training, and who uses them."""
