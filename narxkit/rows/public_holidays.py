"""Public holidays of a country or of one of its regions, from the optional package ``holidays``."""

from functools import cache
from importlib import import_module

import numpy as np

SOME_COUNTRIES = "'DE', 'FR', 'GB', 'IT', 'JP' or 'US'"


def read_place(place):
    """Read where holidays are asked for.

    Parameters
    ----------
    place : str or tuple of (str, str)
        Code of ISO 3166 of a country, with a region after a dash or as the second of a pair.

    Returns
    -------
    tuple of (str, str or None)
        Country and region.

    Raises
    ------
    ValueError
        When it is neither.

    Examples
    --------
    >>> read_place("DE"), read_place("DE-BY"), read_place(("DE", "BY"))
    (('DE', None), ('DE', 'BY'), ('DE', 'BY'))
    """
    parts = place.split("-", 1) if isinstance(place, str) else place
    is_read = isinstance(parts, (list, tuple)) and all(isinstance(part, str) for part in parts)
    if not is_read or len(parts) not in (1, 2):
        given = "no country" if place is None else repr(place)
        raise ValueError(
            "calendar['holiday'] must name a country, for holidays differ from one to another: "
            "give {'holiday': 'DE'}, or with a region {'holiday': ('DE', 'BY')}, in the place of "
            f"'holiday'. Got {given}."
        )
    country, region = [*parts, None][:2]
    return country.upper(), region


def is_holiday(days, country, region):
    """Return which days are public holidays, as a mask.

    Parameters
    ----------
    days : ndarray of datetime64[D]
        Dates.
    country, region : str
        Their codes; the region may be None.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ImportError
        Where the package ``holidays`` is missing; the sentence says how to get it.
    ValueError
        When it does not know the country or the region.
    """
    years = np.unique(days.astype("datetime64[Y]").astype(int) + 1970).tolist()
    return np.isin(days, np.concatenate([_holidays_of(country, region, year) for year in years]))


@cache
def _holidays_of(country, region, year):
    """Return the holidays of a year; kept, for each forecast asks again."""
    package = _load_package()
    _check_country(package, country)
    try:
        days = package.country_holidays(country, subdiv=region, years=year)
    except NotImplementedError:
        regions = list(package.list_supported_countries()[country])
        shown = ", ".join(regions[:20]) + (", ..." if len(regions) > 20 else "")
        known = f"those of {country!r} are {shown}" if regions else f"{country!r} has none"
        raise ValueError(
            f"calendar['holiday'] names the region {region!r}, but {known}: correct it or leave "
            "it out."
        ) from None
    return np.array(sorted(days), dtype="datetime64[D]")


def _load_package():
    try:
        return import_module("holidays")
    except ImportError as error:
        raise ImportError(
            "holidays of a calendar need the package holidays, which is not installed: pip install "
            "'narxkit[holidays]', or give a column of X that is 1 on them."
        ) from error


def _check_country(package, country):
    known = package.list_supported_countries()
    if country not in known:
        raise ValueError(
            f"calendar['holiday'] names the country {country!r}, but it must be one of "
            f"{len(known)} codes of ISO 3166, such as {SOME_COUNTRIES}: correct it."
        )
