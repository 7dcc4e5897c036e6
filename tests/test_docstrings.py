"""Docstrings: imperatives of functions, nouns of classes, and one text for what classes share."""

import ast
from itertools import combinations
from pathlib import Path

import pytest

pytest.importorskip("numpydoc")

from sklearn.utils._testing import assert_docstring_consistency

import narxkit
from narxkit import (
    ARX,
    NARX,
    TDNN,
    Climatology,
    ElmanRegressor,
    ExponentialSmoothing,
    GRURegressor,
    LSTMRegressor,
    Persistence,
    SeasonalNaive,
    SmartPersistence,
    plotting,
    solvers,
)

ROOMS = (
    "diagnostics",
    "evaluation",
    "files",
    "forecasters",
    "model_selection",
    "networks",
    "plotting",
    "report",
    "rows",
    "solvers",
    "training",
)
PACKAGE = Path(narxkit.__file__).parent
FILES = [
    *PACKAGE.glob("*.py"),
    *(path for room in ROOMS for path in (PACKAGE / room).rglob("*.py")),
]
NO_IMPERATIVES = {"A", "An", "The", "Whether", "How", "Which", "Where", "Why"}
RECURRENT = [ElmanRegressor, GRURegressor, LSTMRegressor]
BASELINES = [Persistence, SeasonalNaive, Climatology, SmartPersistence, ExponentialSmoothing]
GAUSS_NEWTON = [solvers.LevenbergMarquardt, solvers.BayesianRegularisation]
BATCHES = [solvers.SGD, solvers.RMSprop, solvers.Adam]
SCIPY = [solvers.LBFGS, solvers.ConjugateGradient, solvers.TruncatedNewton]
PAIRS_OF_VALUES = [
    plotting.ErrorHistogramDisplay,
    plotting.RegressionDisplay,
    plotting.ResponseDisplay,
]
CORRELATIONS = [plotting.ErrorAutocorrelationDisplay, plotting.InputErrorCorrelationDisplay]

# Groups, and names that mean another thing in each of their members
GROUPS = {
    "networks": ([NARX, TDNN], ["alpha"], ["loop_gain_"]),
    # ARX refers to NARX
    "tapped models": ([NARX, ARX], ["input_lags", "output_lags", "calendar"], ["alpha_"]),
    "recurrent networks": (RECURRENT, [], []),
    "baselines": (BASELINES, [], []),
    "forecasters": ([NARX, Persistence], ["output_range"], []),  # one has inputs to name
    "Gauss-Newton": (GAUSS_NEWTON, ["n_trials"], []),
    "trials": ([solvers.LevenbergMarquardt, solvers.IRpropPlus], [], []),
    "batches": (BATCHES, ["learning_rate"], []),
    "SciPy": (SCIPY, [], []),
    "pairs of values": (PAIRS_OF_VALUES, [], ["text_"]),
    "correlations": (CORRELATIONS, [], []),
}
TWO = [
    (group, *pair) for group, (members, *_) in GROUPS.items() for pair in combinations(members, 2)
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_docstrings_name_a_deed_or_a_thing(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        first = (ast.get_docstring(node) or "Nothing").split()[0]
        assert first != "What", node
        is_function = isinstance(node, ast.FunctionDef)
        if is_function and not any("property" in ast.unparse(d) for d in node.decorator_list):
            assert first not in NO_IMPERATIVES, node.name


@pytest.mark.filterwarnings("ignore:Checking was skipped")  # of names that one of two has
@pytest.mark.parametrize("group, one, other", TWO)
def test_what_two_classes_share_has_one_text(group, one, other):
    _, parameters, attributes = GROUPS[group]
    assert_docstring_consistency(
        [one, other],
        include_params=True,
        exclude_params=parameters,
        include_attrs=True,
        exclude_attrs=attributes,
    )


def test_two_texts_are_found():
    class One:
        """A class.

        Parameters
        ----------
        tol : float
            The tolerance.
        """

    class Other:
        """Another class.

        Parameters
        ----------
        tol : float
            How little counts as nothing.
        """

    with pytest.raises(AssertionError, match="description"):
        assert_docstring_consistency([One, Other], include_params=True)
