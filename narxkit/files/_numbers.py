"""The numbers of a table: decimal signs, thousands, currencies, and cells that are none."""

import numpy as np
import pandas as pd

from ._codes import empty_codes, note_codes
from ._dates import DOTTED_CLOCK, DOTTED_MONTH, TEXT, holds_dotted_clock, holds_months
from ._formatting import listed

OTHER = {",": ".", ".": ","}
GROUPED = {  # numbers whose thousands stand apart, by their decimal sign
    ".": r"[+-]?\d{1,3}([,'’]\d{3})+(\.\d*)?",
    ",": r"[+-]?\d{1,3}([.'’]\d{3})+(,\d*)?",
}
WITH_COMMA = (
    r"[+-]?(\d+,(\d{1,2}|\d{4,})|(0|\d{4,}),\d+|\d{1,3}([.'’\s]\d{3})+,\d+|\d+,\d*[eE][+-]?\d+)"
)
WITH_POINT = (
    r"[+-]?(\d+\.(\d{1,2}|\d{4,})|(0|\d{4,})\.\d+|\d{1,3}(,\d{3})+\.\d+|\d+\.\d*[eE][+-]?\d+)"
)
EITHER = r"[+-]?\d{1,3}(\.\d{3})+|[+-]?\d{1,3}(,\d{3})+"  # thousands, or three decimals
CURRENCY = r"[$€£¥₹₩]|\b(?:EUR|USD|GBP|CHF|JPY|CNY|AUD|CAD|SEK|NOK|DKK|PLN)\b"
PERCENT = r"(?<=[\d\s.,])%$"
SIGN = f"({CURRENCY}|{PERCENT})"
SAME = {"€": "EUR", "£": "GBP"}
UNIT = r"(?<=\d)\s*([^\W\d_][^\d;:/|]{0,11}|°[^\W\d_])$"
LONGEST = 80  # signs of a number
MOST_BLANK = 50  # cells before the first text of a column
MOST_SAMPLED = 10_000  # cells
MOST_LOOKED = 200  # columns whose decimal sign is in doubt


def find_numbers(cells, name, missing=()):
    """Find columns of numbers; note those that hold none and cells that are text."""
    decimal, notes = _sign(cells)
    if decimal == "," and not notes:
        notes = ["Numbers are read with a decimal comma."]
    is_number = np.array([dtype.kind in "iufb" for dtype in cells.dtypes], dtype=bool)
    frame, texts, of_texts = cells.loc[:, is_number].astype(float), [], []
    if not is_number.all():
        columns, texts, of_texts = _of_texts(cells.loc[:, ~is_number], decimal)
        frame = frame.join(columns)[[c for c in cells if c in columns or c in frame]]
    frame, of_codes = empty_codes(frame, missing)
    is_empty = frame.isna().all().to_numpy()
    of_empty = _note_empty(list(frame.columns[is_empty]))
    frame = frame.loc[:, ~is_empty] if is_empty.any() else frame
    if not len(frame.columns):
        raise ValueError(" ".join([_format_text_error(cells, texts, name), *of_texts]))
    if texts:
        verbs = ("holds", "is") if len(texts) == 1 else ("hold", "are")
        of_codes.append("{} {} text and {} left out.".format(listed(texts), *verbs))
    return frame, notes + of_empty + of_texts + of_codes + note_codes(frame)


def _of_texts(cells, decimal):
    """Convert columns of text to numbers; return names of those that are none, and notes.

    All columns at once, and each text once: a table may have thousands of columns.
    """
    block = cells.astype(TEXT).to_numpy(dtype=object)
    is_given = ~pd.isna(block)
    values = _clean_numbers(pd.Series(block.ravel(), dtype=TEXT), decimal).to_numpy(copy=True)
    values = values.reshape(block.shape)
    marked, mixed = _read_odd(values, block, is_given & np.isnan(values), decimal)
    is_text = is_given & ~np.isfinite(values)
    # a few words among numbers are faults; mostly words are a column of names
    is_left = is_text.sum(axis=0) > 0.5 * is_given.sum(axis=0)
    values[is_text] = np.nan
    notes = [_note_mixed(cells.columns[i], signs) for i, signs in mixed.items()]
    for i in np.flatnonzero((is_text.any(axis=0) | marked.any(axis=0)) & ~is_left):
        column, rows = cells.columns[i], is_text[:, i]
        notes += _note_text(pd.Series(block[rows, i], cells.index[rows]), column)
        notes += _note_signs(block[marked[:, i], i], column)
    kept = cells.columns[~is_left]
    return pd.DataFrame(values[:, ~is_left], cells.index, kept), list(cells.columns[is_left]), notes


def _read_odd(values, block, is_odd, decimal):
    """Read numbers in other forms into `values`, OUT; return marks of units and mixed signs."""
    codes = np.zeros(block.shape, dtype=np.intp)
    # each odd text once, whatever its column
    codes[is_odd], odd = pd.factorize(block[is_odd])
    odd = pd.Series(odd, dtype=TEXT)
    numbers = _numbers(odd, decimal).to_numpy()
    values[is_odd] = numbers[codes[is_odd]]
    is_marked = odd.str.contains(SIGN[1:-1]).to_numpy(dtype=bool)
    marked = np.zeros(block.shape, dtype=bool)
    marked[is_odd] = (is_marked & ~np.isnan(numbers))[codes[is_odd]]
    mixed = _empty_mixed(values, block, marked)
    units = odd.str.extract(UNIT, expand=False)
    if units.isna().all():
        return marked, mixed
    bare = _numbers(odd.str.replace(UNIT, "", regex=True), decimal).to_numpy()
    # a unit that all cells share belongs to the column's name
    for i in np.flatnonzero(is_odd.mean(axis=0) > 0.5):
        rows = is_odd[:, i]
        seen = units.iloc[codes[rows, i]]
        if seen.notna().all() and seen.nunique() == 1:  # '7 broken' among numbers has no unit
            values[rows, i] = bare[codes[rows, i]]
            marked[rows, i] = True
    return marked, mixed


def _empty_mixed(values, block, marked):
    """Empty columns of `values`, OUT, of mixed currencies or percents; return their signs.

    Money may stand without its sign, zero without that of percents.
    """
    mixed = {}
    for i in np.flatnonzero(marked.any(axis=0)):
        rows = marked[:, i]
        cells = pd.Series(block[rows, i], dtype=TEXT)
        signs = cells.str.extract(SIGN, expand=False).replace(SAME).unique()
        bare = values[~rows, i]
        has_bare = (np.isfinite(bare) & (bare != 0)).any()
        if len(signs) > 1 or (signs[0] == "%" and has_bare):
            values[:, i], marked[:, i] = np.nan, False
            mixed[i] = signs
    return mixed


def find_decimal(sample, most=MOST_SAMPLED):
    """Find the decimal sign of cells of text, None where they leave it in doubt."""
    if times := dotted_times(sample):
        sample = sample.drop(columns=times)
    # texts that come again add nothing
    cells = pd.unique(sample.to_numpy(dtype=object).ravel())[:most]
    cells = pd.Series(cells, dtype=TEXT).dropna()
    surplus = _surplus(_without_unit(cells))
    if surplus == 0:
        return None
    return "," if surplus > 0 else "."


def dotted_times(cells):
    """Find columns of months such as 01.2010 or clock times such as 09.30: no decimals."""
    block = cells.to_numpy(dtype=object)[:MOST_BLANK]
    if not len(block):
        return []
    # most columns are ruled out by their first cell
    first = block[np.argmax(~pd.isna(block), axis=0), np.arange(block.shape[1])]
    found = []
    for column, cell in zip(cells.columns, map(str, first)):
        is_month = DOTTED_MONTH.fullmatch(cell) and holds_months(cells[column])
        is_clock = DOTTED_CLOCK.fullmatch(cell) and holds_dotted_clock(cells[column])
        if is_month or is_clock:
            found.append(column)
    return found


def doubtful_sign(sample):
    """Find the sign of the first number such as 14.380 or 14,380 in cells of text."""
    cells = pd.Series(pd.unique(sample.to_numpy(dtype=object).ravel()), dtype=TEXT).dropna()
    found = cells[cells.str.fullmatch(EITHER)]
    return "," if len(found) and "," in found.iloc[0] else "."


def settle_sign(cells, grouped, sign):
    """Choose the decimal sign: numbers read with `sign` for it or, `grouped`, for thousands.

    Both are equal where there is no sign, and thousandfold of each other before three decimals.
    None if text must tell; a sentence where the sign is in doubt.
    """
    example = None
    for i, (column, dtype) in enumerate(cells.dtypes.items()):
        if dtype.kind != "f" or grouped.dtypes.iloc[i].kind not in "iuf":
            continue
        values, others = cells[column].to_numpy(), grouped.iloc[:, i].to_numpy()
        size = np.abs(values)
        is_plain = values == others
        # 14.380 is 14.38 or 14380
        is_thousandfold = np.isclose(others, 1000 * values, rtol=1e-9, atol=0) & ~is_plain
        is_odd = ~np.isnan(values) & ~is_plain & ~is_thousandfold
        # 0.125 has no thousands, and 1234.125 would have written them
        if (is_odd | (is_thousandfold & ((size < 1) | (size >= 1000)))).any():
            return sign, []
        if is_thousandfold.any():
            # who writes 7 and 14.380 in one column groups by thousands, or writes no zeros: text
            # must tell
            if (is_plain & (size < 1000)).any():
                return None, []
            example = example or (column, f"{values[is_thousandfold][0]:.3f}".replace(".", sign))
    return sign, [] if example is None else [_doubt(*example, sign)]


def _doubt(column, example, sign):
    return (
        f"Numbers such as {example!r} in {column!r} are read as {example.replace(',', '.')}; if "
        f"thousands are meant, write them without {sign!r}."
    )


def _sign(cells):
    """Return the decimal sign, and a sentence where it is in doubt."""
    sign = cells.attrs.get("decimal")
    return (sign, cells.attrs["doubts"]) if sign else _decimal_sign(cells)


def _surplus(texts):
    """Count numbers readable only with a comma, less those only with a point."""
    return int(texts.str.fullmatch(WITH_COMMA).sum()) - int(texts.str.fullmatch(WITH_POINT).sum())


def _decimal_sign(cells):
    """Find the decimal sign by all cells of text, and note where it is in doubt."""
    either, columns = {}, [c for c, dtype in cells.dtypes.items() if dtype.kind not in "iufbMm"]
    if sign := find_decimal(cells[columns], most=None):
        return sign, []
    for column in columns[:MOST_LOOKED]:
        texts = _without_unit(cells[column].dropna())
        is_either = texts.str.fullmatch(EITHER)
        if is_either.any():
            sign = "," if "," in texts[is_either].iloc[0] else "."
            has_small = texts.str.fullmatch(r"[+-]?\d{1,3}").any()
            either[column] = sign, texts[is_either].iloc[0], has_small
    if not either:
        return ".", []
    column, (sign, example, _) = next(iter(either.items()))
    is_quoted = sign == "," == cells.attrs.get("separator")  # who wrote 14,380 between commas
    if is_quoted or any(has_small for *_, has_small in either.values()):
        return OTHER[sign], [f"Numbers such as {example!r} in {column!r} are read as thousands."]
    return sign, [_doubt(column, example, sign)]


def _without_unit(texts):
    return _plain_signs(texts.astype(TEXT).str.replace(UNIT, "", regex=True))


def _plain_signs(texts):
    """Normalise numbers as texts: no blanks, no units of money, the minus in front."""
    texts = texts.astype(TEXT)
    # expressions below are slow on a cell of a megabyte
    texts = texts.where(texts.str.len() <= LONGEST, "")
    texts = texts.str.replace(rf"{CURRENCY}|{PERCENT}", "", regex=True)
    texts = texts.str.replace(r"[\s\u00a0\u202f]", "", regex=True)
    texts = texts.str.replace("\u2212", "-")
    # books write minus as brackets, ledgers behind the number
    return texts.str.replace(r"^\((\d.*)\)$|^(\d.*)-$", r"-\1\2", regex=True)


def _clean_numbers(texts, decimal):
    """Convert numbers without any sign but that of decimals; NaN for others."""
    if decimal == ",":
        # a point beside a decimal comma groups thousands, which comes later
        texts = texts.mask(texts.str.contains(".", regex=False))
        texts = texts.str.replace(",", ".", regex=False)
    return pd.to_numeric(texts, errors="coerce").astype(float)


def _numbers(texts, decimal):
    """Convert numbers in any form: thousands, money, percents, a minus behind, booleans."""
    truths = texts.str.lower().map({"true": 1.0, "false": 0.0})
    texts = _plain_signs(texts)
    grouping = r"[.'’]" if decimal == "," else r"[,'’]"
    is_grouped = texts.str.fullmatch(GROUPED[decimal])
    texts = texts.where(~is_grouped, texts.str.replace(grouping, "", regex=True))
    if decimal == ",":
        texts = texts.str.replace(",", ".", regex=False)
    return pd.to_numeric(texts, errors="coerce").astype(float).fillna(truths)


def _format_text_error(cells, texts, name):
    example = ""
    if texts:
        cell = cells[texts[0]].dropna()
        example = f", as {str(cell.iloc[0])!r} in line {cell.index[0]}"
    return (
        f"{name} has no column of numbers beside its times: it has "
        f"{listed(cells.columns) or 'no other column'}{example}."
    )


def _note_empty(columns):
    if not columns:
        return []
    if len(columns) == 1:
        return [f"Column {columns[0]!r} is empty and left out."]
    return [f"{listed(columns)} are empty and left out."]


def _note_signs(marked, column):
    if not len(marked):
        return []
    return [f"{column!r} holds numbers with a unit, such as {marked[0]!r}, read without it."]


def _note_mixed(column, signs):
    others = "" if len(signs) > 1 else " and numbers without it"
    return f"{column!r} mixes {listed(signs)}{others}: convert it to one unit."


def _note_text(cells, column):
    if not len(cells):
        return []
    first = f"{str(cells.iloc[0])[:LONGEST]!r} instead of a number"
    if len(cells) == 1:
        return [f"Line {cells.index[0]}: {column!r} holds {first}; it counts as missing."]
    return [
        f"{column!r} holds text in {len(cells)} cells, in line {cells.index[0]} {first}; they "
        "count as missing."
    ]
