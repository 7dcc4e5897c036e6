"""The page: plain HTML with its style and its pictures inside, and no script."""

import io
import warnings
from base64 import b64encode
from html import escape
from pathlib import Path
from textwrap import fill

from narxkit._naming import fitted_name
from narxkit.evaluation import find_seams
from narxkit.files import label_writer
from narxkit.plotting.base import COLOURS, PALE, load_matplotlib, open_axes
from narxkit.plotting.times import as_times, format_time_axis

from ._base import Failure

DPI = 160
SIZE = (5.6, 3.3)  # inches: its letters stay readable at the width of a phone

EVIDENCE = (
    "Above each line the partial autocorrelation (PACF), or for inputs the cross-correlation "
    "(CCF); below it the mutual information (MI) with what least squares leave. Grey is what "
    "chance reaches."
)
COMPARED = (
    "Errors of forecasts from the rows of the last fifth, in the unit of the series, each over "
    "rows that all forecasts reach. Skill is 1 - the error of {model} / the least of the others."
)

STYLE = """
  body { margin: 0 auto; max-width: 46rem; padding: 1rem; background: #fff; color: #222;
         font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
  h1 { font-size: 1.5rem; line-height: 1.25; }
  h2 { font-size: 1.2rem; margin-top: 2.5rem; }
  figure { margin: 1rem 0; }
  figcaption { color: #595959; font-size: 0.9rem; }
  img { max-width: 100%; height: auto; }
  .scroll { overflow-x: auto; }
  .scroll img { max-width: none; width: max(100%, 44rem); }
  table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
  th, td { padding: 0.2rem 1rem 0.2rem 0; text-align: left; vertical-align: top; }
  th { font-weight: 600; min-width: 6rem; }
  td { white-space: nowrap; }
  tr { border-bottom: 1px solid #ddd; }
  .figures td { white-space: normal; overflow-wrap: anywhere; }
  .figures td:nth-child(2) { min-width: 11.5rem; }
  @media (max-width: 36rem) {
    .figures tr { display: flex; flex-wrap: wrap; }
    .figures th { width: 40%; box-sizing: border-box; }
    .figures td:nth-child(2) { flex: 1; min-width: 0; }
    .figures td:nth-child(3) { flex-basis: 100%; padding-top: 0; color: #595959; }
  }
"""
FITS = {"height": 24, "width": 60}  # letters that any axes have room for


def write_page(diagnosis, path, translate=str):
    """Write a diagnosis as one page that opens offline.

    Parameters
    ----------
    diagnosis : Diagnosis
        The diagnosis.
    path : str or path
        The file to write: HTML with its style and its pictures inside.
    translate : callable, default=str
        Puts advice, which names parameters, into words of the reader, such as options of a command.

    Raises
    ------
    ImportError
        Where matplotlib is missing.

    See Also
    --------
    diagnose : Finds it.

    Examples
    --------
    >>> from narxkit.report import diagnose, builtin_subject, write_page
    >>> from narxkit.evaluation import find_task
    >>> diagnosis = diagnose(builtin_subject(find_task("fx")))  # doctest: +SKIP
    >>> write_page(diagnosis, "fx.html")  # doctest: +SKIP
    """
    heading = escape(diagnosis.subject.heading)
    advice = {part: list(map(translate, notes)) for part, notes in diagnosis.advice.items()}
    sections = [
        _series(diagnosis),
        _hurst(diagnosis),
        _stochasticity(diagnosis),
        _lags(diagnosis, advice.get("Lags", ())),
    ]
    if diagnosis.validity is not None:
        sections.append(_model(diagnosis, advice.get("Network", ())))
    body = "\n".join(sections)
    page = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{heading}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )
    # what UTF-8 cannot write, as a broken letter in the name of a file, is written by its number
    Path(path).write_text(page, encoding="utf-8", errors="xmlcharrefreplace")


# --- sections ------------------------------------------------------------------------------------


def _series(diagnosis):
    subject = diagnosis.subject
    y, whole = subject.y, subject.whole
    write = label_writer(whole.index)
    rows = {
        "rows": f"{len(y):,}",
        "from": write(y.index[0]),
        "to": write(y.index[-1]),
        "mean": f"{y.mean():.4g}",
        "standard deviation": f"{y.std():.4g}",
        "least": f"{y.min():.4g}",
        "largest": f"{y.max():.4g}",
    }
    ax = _axes()
    times = as_times(whole.index)
    # thousands of rows would grow together under a thicker line
    width = max(0.3, min(1.2, 600 / len(whole)))
    ax.plot(
        times,
        whole.mask(find_seams(whole.index)).to_numpy(),  # no line across a gap
        color=PALE if len(y) < len(whole) else COLOURS[0],
        lw=width,
    )
    ax.plot(as_times(y.index), y.to_numpy(), color=COLOURS[0], lw=width)
    ax.set_title(", ".join(filter(None, (str(y.name), subject.unit))), loc="left", fontsize=9)
    ax.margins(x=0.01)
    format_time_axis(ax, times)
    caption = "Blue is what was analysed, grey the rest." if len(y) < len(whole) else ""
    notes = "".join(f"<p>{escape(note)}</p>\n" for note in subject.notes)
    table = _scroll("the series in figures", _table(rows.items()))
    alt = f"{y.name} over time, {rows['least']} to {rows['largest']}"
    return _section("The series", notes + _picture(ax.figure, alt, caption) + table)


def _hurst(diagnosis):
    result = diagnosis.hurst
    if isinstance(result, Failure):
        return _section("Hurst exponent", _text(result))
    picture = _picture(result.plot(_axes()).figure, f"Hurst exponent by method. {result.sentence}")
    return _section("Hurst exponent", _text(result) + picture)


def _stochasticity(diagnosis):
    result = diagnosis.stochasticity
    if isinstance(result, Failure):
        return _section("Is it forecastable?", _text(result))
    figure, axes = _subplots(3, (SIZE[0], 6.4))
    result.plot(axes)
    alt = f"Series, autocorrelation and spectrum. {result.sentence}"
    return _section("Is it forecastable?", _text(result) + _picture(figure, alt))


def _lags(diagnosis, advice):
    result = diagnosis.lags
    if isinstance(result, Failure):
        return _section("Lags", _text(result))
    n = 1 + len(result.input_lags)
    figure, ax = _subplots(1, (SIZE[0], 1.6 + 1.4 * n))  # room for the target and each input
    result.plot(ax)
    alt = f"Evidence for each lag of each series. {result.sentence}"
    return _section("Lags", _text(result, advice) + _picture(figure, alt, EVIDENCE))


def _model(diagnosis, advice):
    result, model = diagnosis.validity, diagnosis.model
    if isinstance(result, Failure):
        return _section("A network", _text(result))
    lags = f"input_lags={model.input_lags}, output_lags={model.output_lags}"
    about = (
        f"<p>{fitted_name(model)} with {escape(lags)}, fitted on the first four fifths and "
        "evaluated on the last fifth.</p>\n"
    )
    text = _text(result, advice)
    picture = _picture(result.plot(), f"Pictures of the residuals. {result.sentence}", wide=True)
    return _section("A network", about + text + picture + _errors(result.skill, fitted_name(model)))


def _errors(skill, name):
    if skill is None:
        return "<p>No row of the last fifth has all the forecasts to compare.</p>\n"
    skill = skill.rename(columns={"rows": "rows compared", "model": name})
    header = ["rows ahead", *skill.columns]
    rows = [
        [f"{step}", *(f"{value:,.4g}" for value in row)]
        for step, row in zip(skill.index, skill.to_numpy())
    ]
    table = _scroll("root mean squared error by horizon", _table(rows, header))
    compared = escape(COMPARED.format(model=name))
    return f"<h3>Root mean squared error by horizon</h3>\n<p>{compared}</p>\n{table}"


# --- pieces --------------------------------------------------------------------------------------


def _section(title, body):
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>"


def _text(result, advice=()):
    """Write the sentence of a result, advice on it, and its figures."""
    advice = "".join(f"<p>{escape(note)}</p>\n" for note in advice)
    figures = f'<div class="figures">{_table(result.figures)}</div>\n'
    return f"<p><strong>{escape(result.sentence)}</strong></p>\n{advice}{figures}"


def _scroll(name, body):
    """Wrap what may be wider than a phone: it scrolls by itself, with the keyboard, too."""
    name = escape(name, quote=True)
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{name}">{body}</div>\n'


def _table(rows, header=()):
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    lines = [f"<tr>{head}</tr>"] if head else []
    for name, *cells in rows:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        lines.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return f"<table>{''.join(lines)}</table>"


def _picture(figure, alt, caption="", wide=False):
    """Embed a figure in the page, and close it."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a box stands for what the font lacks
        _take_names_literally(figure)
        _break_lines(figure)
        figure.savefig(file, format="png", dpi=DPI)
    load_matplotlib().close(figure)  # pyplot would keep it
    data = b64encode(file.getvalue()).decode()
    image = f'<img src="data:image/png;base64,{data}" alt="{escape(alt, quote=True)}">'
    image = _scroll("pictures of the residuals", image) if wide else image
    caption = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure>{image}{caption}</figure>\n"


def _take_names_literally(figure):
    """Show names with dollars, such as "$ and $", as text; powers on log axes stay formulas."""
    for text in figure.findobj(load_matplotlib("text").Text):
        if "$" in text.get_text() and r"\mathdefault" not in text.get_text():
            text.set_parse_math(False)


def _break_lines(figure):
    """Break names of axes and titles where they are longer than their axes."""
    for side, few in FITS.items():
        texts = [text for ax in figure.axes for text in _along(ax, side)]
        if all(len(text.get_text()) <= few for text in texts):
            continue  # drawing costs a second
        figure.draw_without_rendering()
        for ax in figure.axes:
            room = getattr(ax.get_window_extent(), side)
            for text in _along(ax, side):
                needed = getattr(text.get_window_extent(), side)
                if needed > room:
                    letters = text.get_text()
                    text.set_text(fill(letters, max(8, int(len(letters) * room / needed))))


def _along(ax, side):
    """Return the texts that stand along a side of the axes."""
    if side == "height":
        return [ax.yaxis.label]
    # matplotlib has no other name for the titles at the sides
    return [ax.title, ax._left_title, ax._right_title, ax.xaxis.label]


def _axes():
    return open_axes(_subplots(1, SIZE)[1])


def _subplots(n, size):
    return load_matplotlib().subplots(n, 1, figsize=size, layout="constrained")
