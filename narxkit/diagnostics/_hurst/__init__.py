"""The estimators of the Hurst exponent, their laws, and the results of `hurst_exponent`."""
