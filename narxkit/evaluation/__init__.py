"""Evaluations of a series: every model forecasts a test period from every origin.

A task is data: a series, what is known ahead of it, the periods to learn from and to be tested
on, and the settings of a network. `run` fits a network and the baselines of a task, forecasts from
every origin of the test period without refitting, and answers with an evaluation: its table, its
plot, its file. Tasks are of two kinds: many steps ahead (``_horizon.py``), and the next return of a
market (``_returns.py``).

The protocol is that of a rolling origin. Choices are made on the validation period
(``task.validation_task()``), everything is refitted on training and validation together, and
nothing is chosen on the test period.

`TASKS` holds the tasks of the built-in series; `task_from_frame` makes one of a table of the user,
`look_ahead` forecasts past its end, and `fit_chosen` gives a model to keep, which
`continue_saved` takes on. `forecast_many` forecasts all series of a long table.
"""

from ._base import Evaluation, Task, decimals, run
from ._bridges import LONGEST_BRIDGED, bridge, find_seams, longest_stretch, note_blanks
from ._builtin import TASKS, find_task
from ._csv import write_csv
from ._frame import (
    HELD_OUT,
    MAX_ITER,
    Fitted,
    Forecast,
    FrameTask,
    find_target,
    fit_chosen,
    heading,
    look_ahead,
    plot_forecasts,
    side_by_side,
    task_from_frame,
)
from ._many import ManyForecasts, forecast_many
from ._saved import Continued, continue_saved

__all__ = [
    "HELD_OUT",
    "LONGEST_BRIDGED",
    "MAX_ITER",
    "TASKS",
    "Continued",
    "Fitted",
    "Forecast",
    "FrameTask",
    "ManyForecasts",
    "Evaluation",
    "Task",
    "bridge",
    "continue_saved",
    "decimals",
    "find_seams",
    "find_target",
    "find_task",
    "fit_chosen",
    "forecast_many",
    "heading",
    "longest_stretch",
    "look_ahead",
    "note_blanks",
    "task_from_frame",
    "plot_forecasts",
    "run",
    "side_by_side",
    "write_csv",
]
