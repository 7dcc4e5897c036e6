"""The quiet style of the displays, for axes that results draw on."""

from narxkit.plotting import COLOURS, GREY, INK, PALE, SMALL, load_matplotlib

__all__ = ["COLOURS", "GREY", "INK", "PALE", "label", "open_axes"]


def open_axes(ax=None):
    """Quieten axes, by default those of a new figure."""
    if ax is None:
        _, ax = load_matplotlib().subplots(layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)
    ax.tick_params(which="both", colors=GREY, labelcolor=INK, labelsize=SMALL)
    return ax


def label(ax, place, text, colour, shift=(0, 2), **kwargs):
    """Write beside a point, so many points of type away."""
    return ax.annotate(
        text, place, shift, textcoords="offset points", color=colour, fontsize=SMALL, **kwargs
    )
