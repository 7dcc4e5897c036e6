"""The quiet style of the displays, for axes that results draw on."""

from narxkit.plotting.base import COLOURS, GREY, INK, PALE, SMALL, line_styles, open_axes

__all__ = ["COLOURS", "GREY", "INK", "PALE", "label", "line_styles", "open_axes"]


def label(ax, place, text, colour, shift=(0, 2), **kwargs):
    """Write beside a point, so many points of type away."""
    return ax.annotate(
        text, place, shift, textcoords="offset points", color=colour, fontsize=SMALL, **kwargs
    )
