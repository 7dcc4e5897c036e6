"""Time stamps of texts and numbers, in the ways that people write dates."""

import datetime
import re

import numpy as np
import pandas as pd

from narxkit.rows.clock import Clock

from ._formatting import plain

TEXT = pd.StringDtype("python", na_value=np.nan)  # the same with and without pyarrow
LONGEST = 80  # signs of a date
YEARS = 1000, 2500  # others are wrong, and some are more than a time stamp can hold
MOST_MONTHS = 1000  # cells that tell whether they are months
LAST_SHORT_YEAR = 2039  # '39 is 2039, '40 is 1940

# the months of English, German, French, Spanish, Italian, Portuguese and Dutch, without accents
MONTHS = (
    "jan gen ene", "feb fev", "mar maa mrz mrt", "apr avr abr", "mai may mag mei maj",
    "jun juin giu", "jul juil lug", "aug aou ago", "sep set", "oct okt ott out", "nov",
    "dec dez dic",
)  # fmt: skip
MONTH_OF = {name: i + 1 for i, names in enumerate(MONTHS) for name in names.split()}
ZONES = {  # hours from UTC
    "UTC": 0, "GMT": 0, "BST": 1, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2,
    "EET": 2, "EEST": 3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
    "PST": -8, "PDT": -7, "AEST": 10, "AEDT": 11, "JST": 9,
}  # fmt: skip

CLOCK = (
    r"(\d{1,2})(?:[:hH.](\d{2})?)(?:[:.](\d{2})(?:[.,]\d+)?)?\s*([AaPp][Mm])?"
    r"(?:\s*(?:Uhr|uhr|h))?"
)
DATE = re.compile(
    r"(\d{1,4})\s*[-./\s]\s*(\d{1,2})\s*[-./\s]\s*(\d{1,4})\.?"
    rf"(?:[T,:\s]+(?:um|at|à)?\s*{CLOCK})?"
)
MONTH_FIRST = re.compile(
    r"^([^\W\d_]{3,})\.?[-\s,/]*(?:(\d{1,2})(?:st|nd|rd|th)?(?:,\s*|\s+))?(\d{4})(?!\d)"
)
MONTH_SHORT = re.compile(r"^([^\W\d_]{3,})\.?[-\s/']+(\d{2})$")  # Jan-90
MONTH_LAST = re.compile(r"^(\d{4}|\d{2})[-\s/]*([^\W\d_]{3,})\.?$")  # 1990 Jan, 90-Jan
MONTH_BETWEEN = re.compile(r"(\d{1,4})[-./\s]*(?:de\s+)?([^\W\d_]{3,})[-./\s]*(?:de\s+)?(\d{1,4})")
PLAIN_FORMS = (  # what is written around and in times, and plainer
    (re.compile(r"^[^\W\d_]{2,}\.?,?\s+(?=\d+[-./]\d+[-./]|\d+\.?\s+[^\W\d_])"), ""),  # a weekday
    (re.compile(r"([AaPp])\.\s?[Mm]\."), r"\1m"),
)
# months, quarters, half years and weeks, also as Eurostat writes them: 2010-M01, 1980:1, 2015W02
MONTH_YEAR = re.compile(r"^(\d{1,2})[/.-](\d{4})$")
YEAR_MONTH = re.compile(r"^(\d{4})(?:[-/.:]|[-:\s]?[Mm])(\d{1,2})$")
YEAR_QUARTER = re.compile(r"^(\d{4})[-/:\s]?([QqTtSsHh])([1-4])$")
QUARTER_YEAR = re.compile(r"^([QqTtSsHh])([1-4])[-/\s]?(\d{4})$")
BARE_QUARTER = re.compile(r"^(\d{4})[-/:]([1-4])$")  # if there are no others
YEAR_WEEK = re.compile(r"^(\d{4})[-/\s]?[Kk]?[Ww][-\s]?(\d{1,2})(?:-?([1-7]))?$")
WEEK_YEAR = re.compile(r"^[Kk]?[Ww]\s?(\d{1,2})[-/\s](\d{4})$")
DOTTED_CLOCK = re.compile(r"(?:[01]\d|2[0-4])\.[0-5]\d")
DOTTED_MONTH = re.compile(
    r"(?P<month>0?[1-9]|1[0-2])\.(?P<year>(?:1[5-9]|20)\d\d)"
    r"|(?P<year_first>(?:1[5-9]|20)\d\d)\.(?P<month_last>0[1-9]|1[0-2])"
)
INTERVAL = re.compile(r"\s+[-–—]\s+.*$|(?<=\d)/(?=\d{4}-).*$")  # its end
ZONE = re.compile(rf"\s*\(?\b({'|'.join(ZONES)})\)?$")
USUAL = re.compile(  # what one format of strptime reads
    r"(\d{4}|\d{1,2})([-./ ])\d{1,2}\2(\d{4}|\d{1,2})(?:([T ])\d{1,2}:\d\d(:\d\d)?(\s?[AP]M)?)?",
    re.IGNORECASE,
)
ORDERS = {"year-month-day": "Ymd", "day.month.year": "dmY", "month/day/year": "mdY"}
CALENDAR = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
EPOCHS = {"s": (1e8, 1e11), "ms": (1e11, 1e14), "us": (1e14, 1e17), "ns": (1e17, 1e19)}


def parse(values):
    """Parse the time stamps of cells (NaT where there is none), and note how.

    Each text is read once: in a column of dates beside one of hours most come again.
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return _within_years(parse_numbers(values)), ""
    codes, unique = pd.factorize(values)
    # codes would cost more than they save
    if len(unique) > 0.5 * len(values):
        index, how = _parse(values)
        return _within_years(index), how
    index, how = _parse(pd.Series(unique, dtype=TEXT))
    # code -1, of a missing cell, takes the last entry, NaT
    index = _within_years(index).append(pd.DatetimeIndex([pd.NaT], dtype=index.dtype))
    return index[codes], how


def holds_months(texts):
    """Tell months such as 01.2010 and 2010.01 from decimals: by a zero in front, or their order."""
    given = texts.dropna().head(MOST_MONTHS)
    if not len(given) or not given.str.fullmatch(DOTTED_MONTH).all():
        return False
    if given.str.startswith("0").any():
        return True
    parts = given.str.extract(DOTTED_MONTH).astype(float)
    months = 12 * parts["year"].fillna(parts["year_first"])
    # months of a series rise or fall throughout, which decimals hardly do
    steps = np.diff(months + parts["month"].fillna(parts["month_last"]))
    return np.count_nonzero(steps) > 1 and bool((steps >= 0).all() or (steps <= 0).all())


def holds_dotted_clock(texts):
    """Tell clock times such as 09.30 from decimals, by a zero in front."""
    given = texts.dropna().head(MOST_MONTHS)
    return bool(given.str.fullmatch(DOTTED_CLOCK).all() and given.str.startswith("0").any())


def _within_years(index):
    is_far = (index.year < YEARS[0]) | (index.year > YEARS[1])
    return index.where(~is_far) if is_far.any() else index


def after_midnight(days, since):
    """Add times since midnight to days."""
    return days.as_unit("us") + since.as_unit("us")


def parse_numbers(values):
    """Parse numbers: years, dates without separators, days of spreadsheets, epochs."""
    numbers = pd.to_numeric(values, errors="coerce")
    given = numbers.dropna().to_numpy()
    # one typing error must not decide how all others are read
    typical = float(np.median(given)) if len(given) else 0.0
    is_whole = bool((given == np.floor(given)).mean() > 0.8) if len(given) else False
    n_digits = len(f"{typical:.0f}")
    if is_whole and n_digits in CALENDAR:
        stamps = _calendar(numbers, n_digits)
        if stamps.notna().sum() > 0.8 * len(given):
            return stamps
    # days of spreadsheets from 1954 to 2091
    if 20_000 <= typical < 70_000:
        return _serial(numbers)
    for unit, (low, high) in EPOCHS.items():
        if low <= typical < high:
            return _epochs(numbers, unit, low, high)
    return pd.DatetimeIndex([pd.NaT] * len(values))


def _calendar(numbers, n_digits):
    """Parse numbers such as 2024, 202412 and 20241231."""
    power = 10.0 ** (n_digits - 4)
    is_near = (numbers >= 1000 * power) & (numbers < 2300 * power) & (numbers % 1 == 0)
    if n_digits >= 10:  # others are seconds of some epoch
        is_near &= (numbers >= 1900 * power) & (numbers < 2100 * power)
    texts = numbers.where(is_near, 0).astype("int64").astype(str)
    return pd.DatetimeIndex(pd.to_datetime(texts, format=CALENDAR[n_digits], errors="coerce"))


def _serial(numbers):
    """Parse days since the end of 1899, as spreadsheets count them."""
    days = pd.to_timedelta(numbers.where(numbers.between(1, 200_000)), unit="D")
    return pd.DatetimeIndex(pd.Timestamp("1899-12-30") + days).round("s")


def _epochs(numbers, unit, low, high):
    """Parse a count since 1970, decimals to the microsecond."""
    is_near = (numbers > -high) & (numbers < high)
    if numbers.dtype.kind in "iu" and is_near.all():
        return pd.DatetimeIndex(pd.to_datetime(numbers, unit=unit))
    # floats of nanoseconds keep no nanosecond
    stamps = pd.to_datetime(numbers.where(is_near), unit=unit, errors="coerce")
    return pd.DatetimeIndex(stamps).round("us")


def _parse(values):
    texts = values.astype(TEXT).str.strip()
    texts = texts.mask(texts.str.len() > LONGEST)
    seen = texts.dropna()
    # numbers written as text, with a comma too
    numbers = pd.to_numeric(seen.head(50).str.replace(",", "."), errors="coerce")
    if numbers.notna().mean() > 0.8 and not holds_months(seen):
        return parse_numbers(pd.to_numeric(texts.str.replace(",", "."), errors="coerce")), ""
    texts, zones, zone_note = _without_zone(texts)
    index, how = _parse_dates(texts)
    if zones is not None:
        index = (index - zones).tz_localize("UTC")
    return index, how + zone_note


def _without_zone(texts):
    """Strip ends of intervals and names of zones; return hours from UTC if they vary."""
    some = texts.dropna().head(50)
    if some.str.contains(INTERVAL).any():
        texts = texts.str.replace(INTERVAL, "", regex=True)
        some = texts.dropna().head(50)
    if some.str.extract(ZONE, expand=False).isna().all():
        return texts, None, ""
    zones = texts.str.extract(ZONE, expand=False)
    texts = texts.str.replace(ZONE, "", regex=True)
    # one zone all along is a name and no shift; several change with summer time
    if zones.nunique() == 1:
        return texts, None, f", in {zones.dropna().iloc[0]}"
    return texts, pd.to_timedelta(zones.map(ZONES), unit="h").to_numpy(), ""


def _parse_dates(texts):
    """Parse texts as ISO 8601, or as whatever reads more of them."""
    n_given, texts = texts.notna().sum(), _quarters_named(texts)
    iso = _iso(texts)
    if iso.tz is not None or iso.notna().sum() == n_given:
        return iso, ""
    index, order = _in_order(texts)
    if index.notna().sum() > iso.notna().sum():
        return index, f", read as {order}" if order else ""
    return iso, ""


def _iso(texts):
    some = texts.dropna().head(200)
    # seen in the first rows, as pandas takes no mixture of offsets without utc
    has_zone = bool(some.str.contains(r":\d\d.*(?:[+-]\d\d:?\d\d|Z)$").any())
    try:
        return pd.DatetimeIndex(_to_iso(texts, has_zone))
    except (ValueError, TypeError):  # zones further below
        return pd.DatetimeIndex(_to_iso(texts, True))


def _to_iso(texts, utc):
    stamps = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=utc)
    if getattr(stamps.dt, "tz", None) is not None and not utc:
        return stamps.dt.tz_convert("UTC")
    return stamps


def _in_order(texts):
    """Choose the order of day and month that reads most, then makes the evenest steps."""
    read = _by_format(texts)
    is_left = texts.notna().to_numpy(copy=True)
    for stamps in read.values():
        is_left &= stamps.isna()
    if is_left.any():
        plainly = _plainly(texts[is_left])
        whole = _first_days(plainly)
        numbered = _months_as_numbers(whole)
        more = _by_parts(numbered.str.extract(f"^{DATE.pattern}$"))
        if not numbered.equals(whole):  # '5. Mai 2024' is in no doubt
            more.pop("month/day/year", None)
            read.pop("month/day/year", None)
        if not numbered.equals(plainly) and not read and "year-month-day" in more:
            return more["year-month-day"], ""
        read = _joined(read, is_left, more, len(texts))
    # 13/2 can be read in one order only
    n_read = {order: stamps.notna().sum() for order, stamps in read.items()}
    best = [order for order in read if n_read[order] == max(n_read.values())]
    # of orders that read as many, the one with an even clock: 1/2, 1/3, ... are months or days
    order = min(best, key=lambda order: _unevenness(read[order])) if len(best) > 1 else best[0]
    doubt = [
        f", though {other} is possible too"
        for other in best
        if other != order and not read[other].equals(read[order])
    ]
    return read[order], order + "".join(doubt)


def _joined(read, is_left, more, n):
    """Join time stamps by order, of what one format read and of the rest."""
    if not read:
        read = {order: pd.DatetimeIndex([pd.NaT] * n).as_unit("us") for order in more}
    whole = {}
    for order, stamps in read.items():
        values = stamps.as_unit("us").to_numpy(copy=True)
        if order in more:
            values[is_left] = more[order].as_unit("us").to_numpy()
        whole[order] = pd.DatetimeIndex(values)
    return whole


def _unevenness(stamps):
    """Count the seams of the clock that time stamps make, then their differences."""
    # without the order of rows: a file may run backwards
    labels = pd.DatetimeIndex(np.unique(stamps.dropna().to_numpy()))
    clock = Clock.from_index(labels)
    n_seams = len(labels) if clock.unit == "order" else int(clock.breaks(labels).sum())
    return n_seams, len(np.unique(np.diff(labels.asi8)))


def _by_format(texts):
    """Parse texts in the format of the first, by the order of year, month and day."""
    first = texts.dropna().iloc[:1]
    match = USUAL.fullmatch(first.iloc[0]) if len(first) else None
    # no date, or one with two years
    if match is None or len(match[1] + match[3]) > 6:
        return {}
    orders = list(ORDERS)[:1] if len(match[1]) == 4 else list(ORDERS)[1:]
    is_short = len(match[1] + match[3]) <= 4
    gap, seconds, half = match[4], match[5], match[6]
    clock = ""
    if gap:
        clock = f"{gap}%{'I' if half else 'H'}:%M" + (":%S" if seconds else "")
        clock += "" if half is None else f"{half[:-2]}%p"
    read = {}
    for order in orders:
        letters = ORDERS[order].replace("Y", "y" if is_short else "Y")
        form = match[2].join(f"%{letter}" for letter in letters) + clock
        stamps = pd.DatetimeIndex(pd.to_datetime(texts, format=form, errors="coerce"))
        read[order] = _this_century(stamps) if is_short else stamps
    return read


def _this_century(stamps):
    """Put years of two digits in the hundred years that end with `LAST_SHORT_YEAR`."""
    is_late = stamps.year > LAST_SHORT_YEAR
    return stamps.where(~is_late, stamps - pd.DateOffset(years=100)) if is_late.any() else stamps


def _plainly(texts):
    """Strip what is written around dates."""
    for form, shorter in PLAIN_FORMS:
        texts = texts.str.replace(form, shorter, regex=True)
    return texts


def _quarters_named(texts):
    """Rewrite quarters such as 1980:1 as 1980Q1, where no number in several years exceeds 4."""
    some = texts.dropna().head(MOST_MONTHS)
    if not some.str.fullmatch(BARE_QUARTER).all() or some.str[:4].nunique() < 2:
        return texts
    return texts.str.replace(BARE_QUARTER, r"\1Q\2", regex=True)


def _first_days(texts):
    """Rewrite months, quarters, half years and weeks as their first days."""
    texts = texts.str.replace(MONTH_YEAR, r"\2-\1-1", regex=True)
    texts = texts.str.replace(YEAR_MONTH, r"\1-\2-1", regex=True)
    texts = texts.str.replace(QUARTER_YEAR, r"\3\1\2", regex=True)
    texts = texts.str.replace(YEAR_QUARTER, _first_of_quarter, regex=True)
    texts = texts.str.replace(WEEK_YEAR, r"\2W\1", regex=True)
    return texts.str.replace(YEAR_WEEK, _monday, regex=True)


def _first_of_quarter(match):
    """Rewrite '1980Q2' and '1980-S2', a half of a year, as numbers."""
    length, n = 6 if match[2] in "SsHh" else 3, int(match[3])
    return match[0] if n * length > 12 else f"{match[1]}-{length * (n - 1) + 1}-1"


def _monday(match):
    """Rewrite '2015-W02' as numbers, by ISO 8601."""
    try:
        # a week is named by its Monday, unless it names a day
        day = datetime.date.fromisocalendar(int(match[1]), int(match[2]), int(match[3] or 1))
    except ValueError:  # few years have a week 53
        return match[0]
    return f"{day.year}-{day.month}-{day.day}"


def _months_as_numbers(texts):
    """Rewrite months in words as numbers: '3. März 2024' becomes '3-3-2024'."""
    if not texts.str.contains(r"[^\W\d_]{3,}", na=False).any():
        return texts
    texts = texts.str.replace(MONTH_FIRST, _year_first, regex=True)
    texts = texts.str.replace(MONTH_SHORT, _from_short, regex=True)
    texts = texts.str.replace(MONTH_LAST, _from_last, regex=True)
    return texts.str.replace(MONTH_BETWEEN, _numbered, regex=True)


def _year_first(match):
    """Rewrite 'May 3, 2024' and 'Mai 2024' as numbers."""
    month = month_number(match[1])
    return match[0] if month is None else f"{match[3]}-{month}-{match[2] or 1}"


def _from_short(match):
    """Rewrite 'Jan-90' as numbers."""
    month = month_number(match[1])
    return match[0] if month is None else f"{_whole_year(match[2])}-{month}-1"


def _from_last(match):
    """Rewrite '1990 Jan' and '90-Jan' as numbers."""
    month = month_number(match[2])
    return match[0] if month is None else f"{_whole_year(match[1])}-{month}-1"


def _numbered(match):
    month = month_number(match[2])
    return match[0] if month is None else f"{match[1]}-{month}-{match[3]}"


def _whole_year(digits):
    year = int(digits)
    return year if len(digits) > 2 else year + 2000 - 100 * (year + 2000 > LAST_SHORT_YEAR)


def month_number(word):
    """Return the number of a month by its name, None for another word."""
    letters = plain(word)
    return MONTH_OF.get(letters[:4]) or MONTH_OF.get(letters[:3])


def _by_parts(parts):
    """Parse three numbers and a clock time, by the order of year, month and day."""
    numbers = parts[[0, 1, 2, 3, 4, 5]].apply(pd.to_numeric, errors="coerce").astype(float)
    a, b, c = (numbers[i] for i in range(3))
    # no day: the year comes first
    if a.max() > 31:
        return {"year-month-day": _stamps(a, b, c, numbers, parts[6])}
    short = c + 2000 - 100 * (c + 2000 > LAST_SHORT_YEAR)
    c = c.where(c >= 100, short)
    orders = {"day.month.year": (c, b, a), "month/day/year": (c, a, b)}
    return {name: _stamps(*order, numbers, parts[6]) for name, order in orders.items()}


def _stamps(year, month, day, numbers, half):
    hour = numbers[3].fillna(0)
    is_half = half.notna()
    hour = hour.where(~is_half, hour % 12 + 12 * half.str.lower().eq("pm"))
    next_day = hour == 24  # the end of a day, as power companies write it
    clock = {"hour": hour.where(~next_day, 0), "minute": numbers[4].fillna(0)}
    date = {"year": year.where(year.between(*YEARS)), "month": month, "day": day}
    parts = pd.DataFrame(date | clock | {"second": numbers[5].fillna(0)})
    days = pd.to_timedelta(next_day.astype(int), unit="D")
    return pd.DatetimeIndex(pd.to_datetime(parts, errors="coerce") + days)


def parse_clock(values):
    """Parse clock times such as 18:30, 18.30.00 and 6 pm as time since midnight, or NaT."""
    texts = values.astype(TEXT).str.strip()
    unique = pd.Series(texts.dropna().unique(), dtype=TEXT)
    # the rules for clock times are those of dates: any day will do
    stamps = _by_parts(("1-1-2001 " + unique).str.extract(f"^{DATE.pattern}$"))
    since = stamps["day.month.year"] - pd.Timestamp("2001-01-01")
    return pd.TimedeltaIndex(texts.map(dict(zip(unique, since))))
