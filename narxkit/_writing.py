"""Files that the command writes: what cannot be written is refused before the work."""

import os

from narxkit._atomic import behind_links

TEXT_FORMATS = {".csv", ".txt", ".tsv", ".dat", ""}
PACKED = {".gz", ".bz2", ".xz", ".zip", ".zst"}


def check_files(series, out=None, plot=None):
    """Refuse files that could not or should not be written, before the work starts.

    Parameters
    ----------
    series : str
        The series or file that is read.
    out, plot : path, default=None
        The files for forecasts and for their picture.

    Raises
    ------
    ValueError
        When one cannot be written, is what is read, or would hold both.
    ImportError
        When there is nothing to draw with.
    """
    for path in filter(None, (out, plot)):
        _check_path(path, series)
    if out and plot and behind_links(out) == behind_links(plot):
        raise ValueError(f"out={out} and plot={plot} are one file: give two names.")
    if out and _ending(out) not in TEXT_FORMATS:
        raise ValueError(f"cannot write {out}: forecasts are written as CSV; end it in .csv.")
    if plot:
        from narxkit.plotting.base import load_matplotlib

        known = load_matplotlib("backend_bases").FigureCanvasBase.get_supported_filetypes()
        if plot.suffix.lower().lstrip(".") not in known:
            raise ValueError(f"cannot draw {plot}: give a name that ends in .png, .pdf or .svg.")


def check_page(series, page):
    """Refuse a page that could not be written, before the work starts.

    Parameters
    ----------
    series : str
        The series or file that is read.
    page : path or None
        The page.

    Raises
    ------
    ValueError
        When it is no page or cannot be written.
    ImportError
        When there is nothing to draw with.
    """
    if page is None:
        return
    if page.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"cannot write {page}: the report is a page; end its name in .html.")
    _check_path(page, series)

    from narxkit.plotting.base import load_matplotlib

    load_matplotlib()


def check_save(series, path):
    """Refuse a place where no model could be saved, before the work starts.

    Parameters
    ----------
    series : str
        The file that is read.
    path : path
        The file to save to.

    Raises
    ------
    ValueError
        When it cannot be written, or is what is read.
    """
    _check_path(path, series)


def _check_path(path, series):
    target = behind_links(path)
    folder = target.parent if path.is_symlink() else path.parent
    if target.is_dir():
        raise ValueError(f"cannot write {path}: it is a folder; give the name of a file.")
    if not folder.is_dir():
        raise ValueError(f"cannot write {path}: there is no folder {folder}.")
    if target.exists() and not target.is_file():
        raise ValueError(f"cannot write {path}: it is no ordinary file.")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"cannot write {path}: the folder {folder} is not writable.")
    if target.exists() and not os.access(target, os.W_OK):
        raise ValueError(f"cannot write {path}: it is write-protected.")
    if target == behind_links(series):
        raise ValueError(f"cannot write {path}: it is the file to read; give another name.")


def _ending(path):
    """Return how a name ends, what packs the file left aside."""
    is_packed = path.suffix.lower() in PACKED
    return (path.with_suffix("") if is_packed else path).suffix.lower()
