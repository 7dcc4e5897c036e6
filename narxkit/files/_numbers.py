"""The numbers of a table: decimal signs, thousands, and cells that are none."""

import numpy as np
import pandas as pd

from ._times import TEXT
from ._words import listed

GROUPED = {  # numbers whose thousands stand apart, by their decimal sign
    ".": r"[+-]?\d{1,3}([,'’]\d{3})+(\.\d*)?",
    ",": r"[+-]?\d{1,3}([.'’]\d{3})+(,\d*)?",
}
WITH_COMMA = r"[+-]?(\d+,(\d{1,2}|\d{4,})|\d{1,3}([.'’\s]\d{3})+,\d+)"
WITH_POINT = r"[+-]?(\d+\.(\d{1,2}|\d{4,})|\d{1,3}(,\d{3})+\.\d+)"
EITHER = r"[+-]?\d{1,3}(\.\d{3})+|[+-]?\d{1,3}(,\d{3})+"  # thousands, or three decimals
STAND_INS = (-999, -9999, -99999)  # for missing values, in files of instruments


def find_numbers(cells, name):
    """Columns of numbers, and sentences on those that hold none and on cells that are text."""
    decimal, doubts = _decimal_sign(cells)
    columns, notes, texts = {}, [], []
    for column in cells:
        values, given = _column(cells[column], decimal), cells[column].notna()
        if not given.any():
            notes.append(f"Column {column!r} is empty and left out.")
            continue
        is_text = given & ~np.isfinite(values)
        if is_text.sum() > 0.5 * given.sum():
            texts.append(column)
            continue
        if is_text.any():
            notes.append(_note_text(cells[column][is_text], column))
        columns[column] = values.where(np.isfinite(values))
        notes += _note_stand_ins(values, column)
    if not columns:
        example = ""
        if texts:
            cell = cells[texts[0]].dropna()
            example = f", as {str(cell.iloc[0])!r} in line {cell.index[0]}"
        raise ValueError(
            f"{name} has no column of numbers beside its times: it has "
            f"{listed(cells.columns) or 'no other column'}{example}."
        )
    if texts:
        verbs = ("holds", "is") if len(texts) == 1 else ("hold", "are")
        notes.append("{} {} text and {} left out.".format(listed(texts), *verbs))
    if decimal == "," and not doubts:
        notes.insert(0, "Numbers are read with a decimal comma.")
    notes = doubts + notes
    return pd.DataFrame(columns, index=cells.index), notes


def _decimal_sign(cells):
    """The sign before decimals, and a sentence where it is in doubt."""
    surplus, either = 0, {}
    for column in cells:
        if cells[column].dtype.kind in "iufbM":
            continue
        texts = _plain_signs(cells[column].dropna())
        surplus += int(texts.str.fullmatch(WITH_COMMA).sum())
        surplus -= int(texts.str.fullmatch(WITH_POINT).sum())
        is_either = texts.str.fullmatch(EITHER)
        if is_either.any():
            sign = "," if "," in texts[is_either].iloc[0] else "."
            has_small = texts.str.fullmatch(r"[+-]?\d{1,3}").any()
            either[column] = sign, texts[is_either].iloc[0], has_small
    if surplus or not either:
        return "," if surplus > 0 else ".", []
    column, (sign, example, _) = next(iter(either.items()))
    other = {",": ".", ".": ","}[sign]
    is_quoted = sign == "," == cells.attrs.get("separator")  # who wrote 14,380 between commas
    if is_quoted or any(has_small for *_, has_small in either.values()):
        return other, [f"Numbers such as {example!r} in {column!r} are read as thousands."]
    return sign, [
        f"Numbers such as {example!r} in {column!r} are read as {example.replace(',', '.')}; if "
        f"thousands are meant, write them without {sign!r}."
    ]


def _plain_signs(texts):
    """Numbers as texts, without blanks, with their minus in front."""
    texts = texts.astype(TEXT).str.replace(r"[\s\u00a0\u202f]", "", regex=True)
    texts = texts.str.replace("\u2212", "-")
    return texts.str.replace(r"^\((\d.*)\)$|^(\d.*)-$", r"-\1\2", regex=True)


def _column(cells, decimal):
    """Cells as floats, NaN where they are no number."""
    if cells.dtype.kind in "iufb" or pd.api.types.is_numeric_dtype(cells.dtype):
        return cells.astype(float)
    texts = _plain_signs(cells)
    truths = texts.str.lower().map({"true": 1.0, "false": 0.0})
    if truths.notna().any():
        return truths
    is_grouped = texts.str.fullmatch(GROUPED[decimal])
    if is_grouped.any():
        grouping = r"[.'’]" if decimal == "," else r"[,'’]"
        texts = texts.where(~is_grouped, texts.str.replace(grouping, "", regex=True))
    if decimal == ",":
        texts = texts.str.replace(",", ".")
    return pd.to_numeric(texts, errors="coerce").astype(float)


def _note_stand_ins(values, column):
    return [
        f"{column!r} is {number} in {n:,} rows: if that means missing, empty these cells."
        for number in STAND_INS
        if (n := int((values == number).sum())) > 1
    ]


def _note_text(cells, column):
    first = f"{str(cells.iloc[0])!r} instead of a number"
    if len(cells) == 1:
        return f"Line {cells.index[0]}: {column!r} holds {first}; it counts as missing."
    return (
        f"{column!r} holds text in {len(cells)} cells, in line {cells.index[0]} {first}; they "
        "count as missing."
    )
