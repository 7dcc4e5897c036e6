"""Levenberg-Marquardt against the certified values of NIST's 27 nonlinear regressions."""

import pytest

from narxkit.solvers import LevenbergMarquardt, Monitor
from nist import FOLDER, MODELS, load

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the NIST files are not in {FOLDER}")

DIGITS = 4


def digits_from(name, start):
    problem = load(name)
    monitor = Monitor(max_iter=3000, tol=0)
    result = LevenbergMarquardt().solve(problem.objective, problem.starts[start - 1], monitor)
    return problem.digits(result.theta)


def test_certified_values_give_the_certified_sum_of_squares():
    problem = load("Thurber")
    _, _, sse, n = problem.objective.normal_equations(problem.certified)
    assert (sse, n) == (pytest.approx(5.6427082397e3, rel=1e-9), 37)


def test_all_27_problems_are_here():
    assert len(MODELS) == 27
    assert {path.stem for path in FOLDER.glob("*.dat")} == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_four_digits_from_the_near_start(name):
    assert digits_from(name, start=2) >= DIGITS


def test_four_digits_from_the_far_start_on_at_least_25():
    reached = {name: digits_from(name, start=1) for name in MODELS}
    missed = {name: digits for name, digits in reached.items() if digits < DIGITS}
    assert len(missed) <= 2, missed
