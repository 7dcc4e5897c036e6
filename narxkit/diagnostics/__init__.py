"""Is a series forecastable, and is a model right? Arrays in, frozen results out."""

__all__ = []
