"""Clear-sky irradiance from the sun's height alone.

It needs a place and a clock, no weather: a known input at any horizon.
"""

import numpy as np
import pandas as pd

from ._checks import check_real


def clear_sky(index, latitude, longitude, utc_offset, *, minutes=(0, 30)):
    """Compute global horizontal irradiance under a cloudless sky by Haurwitz' formula.

    With the sun's height h above the horizon::

        G = 1098 sin(h) exp(-0.057 / sin(h)) W/m2   while sin(h) > 0, else 0
        sin(h) = sin(latitude) sin(d) + cos(latitude) cos(d) cos(w)

    The declination d and the equation of time E, in minutes, are Spencer's series up to the second
    harmonic of the year's angle g = 2 pi (days since 1 January + (hour - 12) / 24) / 365::

        d = 0.006918 - 0.399912 cos g + 0.070257 sin g - 0.006758 cos 2g + 0.000907 sin 2g
        E = 229.18 (0.000075 + 0.001868 cos g - 0.032077 sin g - 0.014615 cos 2g - 0.040849 sin 2g)

    and the hour angle w turns a full circle in a day of true solar time, which is clock time
    + 4 minutes x longitude - 60 minutes x utc_offset + E; w = 0 at solar noon.

    Parameters
    ----------
    index : DatetimeIndex
        Time stamps, the beginning of each row's hour. Without a time zone they are clock times at
        ``utc_offset``; with one they are converted to it.
    latitude : float
        Degrees north, negative in the south.
    longitude : float
        Degrees east, negative in the west.
    utc_offset : float
        Hours by which the clock is ahead of UTC, the whole year round: standard time.
    minutes : sequence of float, default=(0, 30)
        Minutes after each time stamp at which the sun's height is taken; the result is the mean
        over them. The default stands for the mean of an hour.

    Returns
    -------
    Series
        Irradiance in W/m2, named "clear_sky", on ``index``.

    Raises
    ------
    TypeError
        If ``index`` is not a DatetimeIndex.
    ValueError
        If ``latitude`` is beyond 90, ``longitude`` beyond 180 degrees or ``utc_offset`` beyond 14
        hours, or ``minutes`` is empty.

    Notes
    -----
    Haze and the height of the place are not in the formula. Where clear-sky values are known, one
    factor from least squares repairs most of that; `load_solar` does so. Some implementations have
    0.059 in place of 0.057, which lowers G by about 2 W/m2.

    References
    ----------
    .. [1] B. Haurwitz, "Insolation in relation to cloudiness and cloud density", Journal of
       Meteorology 2, 154-166, 1945.
    .. [2] J. W. Spencer, "Fourier series representation of the position of the sun", Search 2 (5),
       172, 1971.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.datasets import clear_sky
    >>> noon = pd.DatetimeIndex(["2023-06-21 12:00", "2023-12-21 12:00"])
    >>> clear_sky(noon, latitude=40.53, longitude=-108.54, utc_offset=-7).round(1)
    2023-06-21 12:00:00    986.2
    2023-12-21 12:00:00    424.8
    Name: clear_sky, dtype: float64
    """
    place = _checked_place(latitude, longitude, utc_offset)
    clock = _standard_time(index, place[-1])
    if len(minutes) == 0:
        raise ValueError("'minutes' of clear_sky is empty: give at least one, for example (0, 30).")
    moments = [clock + pd.Timedelta(minutes=m) for m in minutes]
    irradiance = np.mean([_haurwitz(_sine_of_height(t, *place)) for t in moments], axis=0)
    return pd.Series(irradiance, index=index, name="clear_sky")


def _checked_place(latitude, longitude, utc_offset):
    limits = {"latitude": (latitude, 90), "longitude": (longitude, 180)}
    limits["utc_offset"] = (utc_offset, 14)
    return [check_real("clear_sky", name, x, -high, high) for name, (x, high) in limits.items()]


def _standard_time(index, utc_offset):
    if not isinstance(index, pd.DatetimeIndex):
        raise TypeError(
            f"clear_sky needs a DatetimeIndex, but got {type(index).__name__}: "
            "convert with pandas.DatetimeIndex or PeriodIndex.to_timestamp."
        )
    if index.tz is None:
        return index
    return index.tz_convert(None) + pd.Timedelta(hours=utc_offset)


def _sine_of_height(clock, latitude, longitude, utc_offset):
    hours = clock.hour + clock.minute / 60 + clock.second / 3600
    g = 2 * np.pi / 365 * (clock.day_of_year - 1 + (hours - 12) / 24)
    harmonics = np.stack([np.ones(len(g)), np.cos(g), np.sin(g), np.cos(2 * g), np.sin(2 * g)])
    declination = [0.006918, -0.399912, 0.070257, -0.006758, 0.000907] @ harmonics
    equation_of_time = 229.18 * ([7.5e-5, 0.001868, -0.032077, -0.014615, -0.040849] @ harmonics)
    solar_hours = hours + longitude / 15 - utc_offset + equation_of_time / 60
    turn = np.asarray(np.pi / 12 * (solar_hours - 12))
    phi = np.radians(latitude)
    along_axis = np.sin(phi) * np.sin(declination)
    return along_axis + np.cos(phi) * np.cos(declination) * np.cos(turn)


def _haurwitz(sine_of_height):
    risen = np.maximum(sine_of_height, 1e-6)  # exp(-0.057e6) is 0: dark from there down
    return 1098 * risen * np.exp(-0.057 / risen)
