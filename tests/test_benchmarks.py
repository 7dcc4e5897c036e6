"""The harness of the benchmarks; what it measures is no matter of tests."""

import csv
import sys
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

sys.path.append(str(Path(__file__).parents[1]))

pytest.importorskip("benchmarks", reason="the benchmarks are not beside the tests")

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import accuracy as free_runs  # noqa: E402
from benchmarks import (  # noqa: E402
    byhand,
    cell_defaults,
    competitions,
    defaults,
    evolution,
    harness,
    hurst,
    hurst_laws,
    interrupt,
    intervals,
    long_memory,
    many_series,
    recurrent,
    report,
    rolling,
    shelf,
    speed,
    yardsticks,
)
from benchmarks import stochasticity as judging  # noqa: E402
from benchmarks import validity as rejecting  # noqa: E402
from benchmarks.harness import Case, constant, measure  # noqa: E402
from benchmarks.peers import accuracy, defects, models  # noqa: E402
from benchmarks.peers import speed as peers_speed  # noqa: E402
from benchmarks.report import Suite  # noqa: E402
from narxkit import ARX, NARX, backtest  # noqa: E402
from narxkit.datasets import make_narendra  # noqa: E402
from narxkit.evaluation import TASKS, run  # noqa: E402
from narxkit.networks.cells import KEPT  # noqa: E402


def toy(figure, target, candidate=2e-3, reference=6e-3, **options):
    setup = partial(tuple, map(constant, (candidate, reference)))
    return Case("toy", "its twin", setup, target, figure, **options)


@pytest.mark.parametrize(
    "figure, value, kept, missed",
    [
        ("value", 2.0, 2.5, 1.5),
        ("excess", -4.0, -3.0, -5.0),
        ("ratio", 1 / 3, 0.4, 0.3),
        ("speed-up", 3.0, 2.5, 3.5),
    ],
)
def test_figures_and_their_targets(figure, value, kept, missed):
    outcome = measure(toy(figure, kept))
    assert outcome.figure.median == pytest.approx(value)
    assert outcome.is_met
    assert measure(toy(figure, missed)).is_met is False
    assert measure(toy(figure, None)).is_met is None


def test_candidate_and_reference_take_turns():
    clock = count()
    outcome = measure(Case("toy", "", lambda: (lambda: next(clock),) * 2, unit="s", repeats=3))
    assert (outcome.candidate.min, outcome.candidate.median, outcome.candidate.max) == (2, 4, 6)
    assert (outcome.reference.min, outcome.reference.max) == (3, 7)


def test_a_stopwatch_divides_by_the_items_of_a_call(monkeypatch):
    moments = iter([0.0, 10.0])
    monkeypatch.setattr(harness.time, "perf_counter", lambda: next(moments))
    assert harness.stopwatch(lambda: None, per=4)() == 2.5


def test_short_calls_fill_a_turn_and_count_their_median(monkeypatch):
    moments = iter([0.0, harness.TURN / 2, 0.0, harness.TURN / 4, 0.0, harness.TURN / 4])
    monkeypatch.setattr(harness.time, "perf_counter", lambda: next(moments))
    assert harness.stopwatch(lambda: None)() == harness.TURN / 4


def test_the_command_writes_what_it_shows(tmp_path, monkeypatch, capsys):
    suite = Suite("Toys", [toy("ratio", 0.5), toy("value", 1), toy("value", 1, needs="no_such")])
    monkeypatch.setattr(command, "SUITES", {"toys": suite})
    command.main(["toys", "--quick", "--out", str(tmp_path)])
    shown = capsys.readouterr().out
    assert "Toys" in shown
    lines = (tmp_path / "toys.csv").read_text().splitlines()
    assert lines[0].startswith("# ")
    rows = list(csv.DictReader(lines[1:]))
    assert [row["met"] for row in rows] == ["yes", "no", "needs no_such"]
    assert float(rows[0]["figure_median"]) == pytest.approx(1 / 3, rel=1e-3)


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit) as ending:
        command.main(["speeed"])
    assert ending.value.code == 2
    assert "there is no 'speeed': choose from speed, memory" in capsys.readouterr().err


def test_a_suite_without_its_files_is_left_out(tmp_path):
    console = Console(record=True, width=100)
    command.run(Suite("Toys", []), False, tmp_path / "toys.csv", console)
    assert "Toys: left out" in console.export_text()
    assert not list(tmp_path.iterdir())


def test_loops_give_the_numbers_of_the_kernel():
    speed.free_run(speed.small_network, byhand.numpy_free_run)
    speed.free_run(speed.large_network, byhand.numpy_free_run)


@pytest.mark.parametrize("make_step", [byhand.torch_modules, byhand.torch_functions])
def test_loops_in_pytorch_give_the_numbers_of_the_kernel(make_step):
    pytest.importorskip("torch")
    speed.free_run(speed.small_network, partial(byhand.torch_free_run, make_step))


class Echo:
    """A model whose prediction of row t, h steps ahead, is 100 t + h."""

    max_lag_ = 2

    def predict_ahead(self, X, y, steps):
        return 100.0 * np.arange(len(y))[:, None] + np.asarray(steps)

    def simulate(self, X, y):
        return np.where(np.arange(len(X)) < self.max_lag_, np.nan, np.arange(float(len(X))))


@pytest.fixture
def linear():
    """A linear system and two candidates, of which only the second has the lags."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 1)), np.zeros(120)
    for t in range(2, 120):
        y[t] = 1.2 * y[t - 1] - 0.5 * y[t - 2] + X[t, 0]
    shared = {
        "loop": "closed",
        "input_lags": 0,
        "hidden_layer_sizes": (),
        "alpha": 0.0,
        "max_iter": 20,
    }
    return free_runs.Series(
        "Toys",
        "V",
        (X[:80], y[:80]),
        free_runs.free_run_error,
        free_runs.both_windows("test", X, y, 1e3),
        ({"output_lags": 1, **shared}, {"output_lags": 2, **shared}),
        {"test, all": 1e-3},
        n_blocks=4,
        n_members=2,
    )


def test_a_structure_is_chosen_inside_the_training_rows(linear):
    worse, right = (linear.held_out_errors(candidate) for candidate in linear.candidates)
    assert min(worse) > 0.1 and max(right) < 1e-6
    assert linear.choose() == [linear.candidates[1]]


def test_structures_within_one_standard_error_vote_together(linear, monkeypatch):
    errors = {0: [1.0, 3.0], 1: [2.9, 2.9], 2: [9.0, 1.0], 3: [0.0, 6.1]}
    series = replace(linear, candidates=tuple(errors))
    monkeypatch.setattr(free_runs.Series, "held_out_errors", lambda self, one: errors[one])
    assert series.choose() == [0, 1]
    monkeypatch.setattr(free_runs.Series, "held_out_errors", lambda self, one: errors[one][:1])
    assert series.choose() == [3]


def test_the_block_held_out_has_no_weight(linear, monkeypatch):
    weights = []

    def fit(self, X, y, sample_weight):
        weights.append(sample_weight)
        assert len(X) == len(y) == len(sample_weight)

    monkeypatch.setattr(free_runs.Committee, "fit", fit)
    series = replace(linear, error=lambda model, X, y, rows: rows)
    judged = series.held_out_errors(series.candidates[0])
    assert [np.flatnonzero(rows)[[0, -1]].tolist() for rows in judged] == [
        [i, i + 19] for i in (0, 20, 40, 60)
    ]
    np.testing.assert_array_equal(weights, ~np.array(judged))
    (judged,) = replace(series, n_blocks=None).held_out_errors(series.candidates[0])
    assert np.flatnonzero(judged).tolist() == list(range(64, 80))
    np.testing.assert_array_equal(weights[-1], ~judged)


def test_stretches_with_the_largest_peaks_are_held_out(linear):
    y = np.array([1.0, 0, 0, -9, 3, 0, 0, 2, 5, 0, 4])  # peaks of 1, 9, 3, 2, 5 and 4
    X = np.arange(11.0)[:, None]
    ((learned, loud),) = replace(linear, fitting=(X, y), stretch=2).folds()
    assert learned["X"].ravel().tolist() == [0, 1, 4, 5, 6, 7, 10]
    assert learned["y"].tolist() == y[[0, 1, 4, 5, 6, 7, 10]].tolist()
    assert np.flatnonzero(np.diff(learned["segments"])).tolist() == [1, 5]
    assert np.flatnonzero(loud).tolist() == [2, 3]


def test_both_trainings_are_reported_with_all_seeds(linear):
    suite = free_runs.AccuracySuite("Toys", {"Toys": lambda: linear, "Lost": lost})
    *rows, missing = suite.rows(False, lambda name: None)
    assert [(row["test"], row["loop"]) for row in rows] == [
        (test, loop) for loop in ("closed", "open") for test in linear.tests
    ]
    assert all(len(row["errors"].split()) == len(free_runs.SEEDS) for row in rows)
    assert [row["met"] for row in rows] == ["", "yes", "", ""]
    assert "output_lags=2" in rows[0]["structure"] and "loop" not in rows[0]["structure"]
    assert missing["series"] == "Lost" and missing["met"] == "needs lost.csv"
    console = Console(record=True, width=150)
    console.print(suite.table([*rows, missing]))
    assert "needs lost.csv" in console.export_text()


def lost():
    return free_runs.read("lost.csv")


def test_errors_of_free_runs_begin_where_they_say():
    X, y = np.zeros((60, 1)), np.arange(60.0)
    y[10] += 3
    assert free_runs.free_run_error(Echo(), X, y) == pytest.approx(3 / np.sqrt(58))
    assert free_runs.free_run_error(Echo(), X, y, np.arange(60) < 12) == pytest.approx(3 / 10**0.5)
    assert free_runs.free_run_error(Echo(), X, y, skip=free_runs.WASHOUT) == 0
    y[55] += 4
    tests = free_runs.both_windows("test", X, y, 1e3)
    assert tests["test, after 50 samples"](Echo()) == pytest.approx(4e3 / np.sqrt(10))
    assert free_runs.rms(np.array([0.0, np.nan])) == np.inf


def test_a_path_is_one_run_from_one_row():
    errors = free_runs.paths(Echo(), np.zeros(6), steps=3)
    assert errors.tolist() == [[201, 302, 403], [301, 402, 503]]
    errors = free_runs.paths(Echo(), np.zeros(6), 3, np.arange(6) >= 3)
    assert errors.tolist() == [[301, 402, 503]]


def test_a_committee_is_the_median_of_the_members_that_run():
    committee = free_runs.Committee([{"output_lags": 1}, {"output_lags": 2}], 2, seed=1)
    assert [(m.model.output_lags, m.model.random_state) for m in committee.members] == [
        (1, 2),
        (1, 3),
        (2, 2),
        (2, 3),
    ]
    runs = [[1.0, 1.0, np.nan], [2.0, np.nan, np.nan], [9.0, 3.0, np.nan]]
    np.testing.assert_equal(committee._median(runs), [2.0, 2.0, np.nan])


def test_members_start_from_as_many_rows_as_each_needs(linear):
    X, y = linear.fitting
    committee = free_runs.Committee(linear.candidates, 1, seed=0).fit(X=X, y=y)
    assert committee.max_lag_ == 2
    runs = [m.model.simulate(X, y[:lag])[2:] for m, lag in zip(committee.members, (1, 2))]
    np.testing.assert_array_equal(committee.simulate(X, y)[2:], np.median(runs, axis=0))


def test_a_committee_finishes_on_all_rows(linear, monkeypatch):
    seen = []

    def fit(self, X, y, sample_weight):
        seen.append((self.loop, len(X), len(y), sample_weight.sum(), self.max_iter))
        self.max_lag_ = 1

    monkeypatch.setattr(free_runs.NARX, "fit", fit)
    X, y = linear.fitting
    brief = {"loop": "closed", "head": 30, "finish": 7, "max_iter": 9}
    weight = (np.arange(len(y)) >= 20).astype(float)
    committee = free_runs.Committee([brief, {"loop": (5, "closed")}], 1, seed=0)
    committee.fit(X=X, y=y, sample_weight=weight)
    assert set(seen) == {
        ("closed", 30, 30, 10, 9),
        ("closed", 80, 80, 60, 7),
        ((5, "closed"), 80, 80, 60, 200),
    }


def test_a_target_of_henon_is_the_map_itself():
    series = free_runs.henon()

    class Map:
        max_lag_ = 2

        def predict_ahead(self, X, y, steps):
            ahead = np.full((len(y), len(steps)), np.nan)
            for t in range(2, len(y)):
                before, last = y[t - 2], y[t - 1]
                for h in range(min(len(steps), len(y) - t)):
                    before, last = last, 1 - 1.4 * last**2 + 0.3 * before
                    ahead[t + h, h] = last
            return ahead

    for test in series.tests.values():
        assert test(Map()) == pytest.approx(1)


def test_peers_are_measured_only_when_asked_for():
    assert not set(command.chosen([])) & set(command.PEERS)
    assert command.chosen(["peers"]) == command.PEERS
    assert list(command.chosen(["nist", "peers-speed"])) == ["nist", "peers-speed"]


class Absent(models.Narx):
    name = "absent"
    needs = ("narxkit", "no_such_package")


@pytest.fixture(scope="module")
def contest():
    kinds = (models.Narx, models.Ridge, models.Persistence, Absent)
    return accuracy.Contest("Toys", accuracy.narendra, kinds)


@pytest.fixture(scope="module")
def contest_rows(contest):
    return {row["model"]: row for row in contest.rows(True, lambda name: None)}


def test_a_missing_peer_is_left_out_by_name(contest, contest_rows):
    assert models.missing(Absent.needs) == "no_such_package"
    row = dict(contest_rows["absent"])
    assert row.pop("training") == "needs no_such_package"
    assert row.pop("model") == "absent"
    assert row.keys() < contest_rows["ridge ARX"].keys() and not any(row.values())
    console = Console(record=True, width=150)
    console.print(contest.table(list(contest_rows.values())))
    assert "needs no_such_package" in console.export_text()


def test_without_peers_there_are_questions_and_no_answers(monkeypatch):
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    rows = list(defects.SUITE.rows(True, lambda name: None))
    assert len(rows) == len(defects.CASES)
    assert all(row["answer"] == f"needs {row['peer']}" and not row["narxkit"] for row in rows)
    defects.SUITE.table(rows)


def test_errors_of_a_contest_are_those_of_its_free_runs(contest_rows):
    _, truth = accuracy.series(5000, random_state=1)
    constant_run = np.sqrt(np.mean((truth[2:] - truth[1]) ** 2))
    assert float(contest_rows["persistence"]["free_run"]) == pytest.approx(constant_run, rel=1e-3)
    ratios = [float(contest_rows[name]["ratio_to_ridge"]) for name in ("narxkit NARX", "ridge ARX")]
    assert ratios[0] < 0.1 and ratios[1] == 1


def test_quick_fits_are_repeated_and_slow_ones_are_not(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(accuracy.time, "perf_counter", lambda: clock[-1])

    def toy(base, name, seconds):
        def fit(self, u, y):
            clock.append(clock[-1] + seconds[self.seed])

        return type(name, (base,), {"name": name, "fit": fit})

    shape, errors = {"input_lags": 0, "output_lags": 1}, lambda model: {"rmse": 1.0 + model.seed}
    task = accuracy.Task(shape, (0, 0), errors, "rmse")
    quick = toy(models.Ridge, "quick", [9.0, 1.0, 3.0])
    slow = toy(models.Narx, "slow", [2 * accuracy.PATIENCE])
    monkeypatch.setattr(accuracy, "Ridge", quick)
    monkeypatch.setattr(accuracy, "Narx", slow)
    contest = accuracy.Contest("Toys", lambda is_quick: task, (quick, slow))
    rows = [{k: v for k, v in row.items() if k != "training"} for row in contest.rows(False, print)]
    assert rows == [
        dict(model="quick", rmse="2", rmse_min="1", rmse_max="3", seeds="3", fit_s="2")
        | {"ratio_to_ridge": "1", "fit_ratio": "0.05"},
        dict(model="slow", rmse="1", rmse_min="1", rmse_max="1", seeds="1", fit_s="40")
        | {"ratio_to_ridge": "0.5", "fit_ratio": "1"},
    ]


@pytest.mark.parametrize("peer", peers_speed.SAME, ids=lambda peer: peer.__name__)
def test_peers_with_the_same_weights_give_the_numbers_of_narxkit(peer):
    for name in peer.needs:
        pytest.importorskip(name)
    peers_speed.beside(peer, 100)


def test_pyrenn_trains_the_network_of_narxkit():
    """From the same weights both have the same error, gradient and diagonal of J'J."""
    pytest.importorskip("pyrenn")
    for input_lags in (0, 1):
        peers_speed.training(input_lags, 50)


def test_restarts_in_threads_end_at_the_same_weights():
    speed.restarts(100)


def test_a_fit_that_is_interrupted_keeps_its_promise():
    waits, is_kept = interrupt.measure("lm", "closed", 2, 3, repeats=1, n_rows=500, first=0.3)
    assert len(waits) == 1 and is_kept


def test_the_slowest_interrupt_decides(monkeypatch):
    waits = iter([([0.1, 0.6], True), ([0.1, 0.2], False), ([0.1, 0.3], True)])
    monkeypatch.setattr(interrupt, "KINDS", interrupt.KINDS[:3])
    monkeypatch.setattr(interrupt, "SOLVERS", ["toy"])
    monkeypatch.setattr(interrupt, "measure", lambda *args: next(waits))
    rows = list(interrupt.SUITE.rows(True, lambda name: None))
    assert [row["wait_max_s"] for row in rows] == ["0.600", "0.200", "0.300"]
    assert [(row["as_promised"], row["met"]) for row in rows] == [
        ("yes", "no"),
        ("no", "no"),
        ("yes", "yes"),
    ]
    assert len(interrupt.SUITE.table(rows).rows) == 3


def test_a_solver_that_misses_the_target_has_no_figures(monkeypatch):
    monkeypatch.setattr(shelf, "SOLVERS", ["lm", "sgd"])
    monkeypatch.setattr(shelf, "MAX_ITER", 40)
    monkeypatch.setattr(shelf, "SEEDS", range(3))
    rows = list(shelf.SUITE.rows(True, lambda name: None))
    assert [row["reached"] for row in rows[:2]] == ["3", "0"]
    assert rows[0]["ratio"] == "1" and float(rows[0]["epochs"]) <= float(rows[0]["epochs_max"])
    assert not any(rows[1][name] for name in ("epochs", "epochs_max", "time_ms", "ratio"))
    console = Console(record=True, width=150)
    console.print(shelf.SUITE.table(rows))
    assert "0 of 3" in console.export_text()


def test_stock_deap_and_narxkit_judge_by_the_same_loss():
    evolution.beside_stock()


def test_populations_stand_beside_restarts():
    """Of which one at least is made, and the lowest loss counts."""
    X, y = make_narendra(100, random_state=0)

    class Quick(evolution.Problem):
        @property
        def solvers(self):
            return {"ga": evolution.GeneticAlgorithm(population_size=6)}

    model = NARX([1], 1, (2,), alpha=1e-3, max_iter=4)
    quick = Quick("quick", "-", model, (X, y), lambda model: model.loss_)
    rows = list(evolution.WorthSuite([lambda: quick]).rows(True, lambda name: None))
    assert [row["solver"] for row in rows] == ["ga", "lm", "lm, restarts"]
    populations = evolution.Problem.solvers.fget(quick)
    assert list(populations)[::2] == ["ga", "cmaes", "annealing"]
    assert populations["annealing, no polish"].polish is None
    ga, lm, restarts = rows
    assert float(restarts["loss"]) <= float(lm["loss"]) and int(float(restarts["starts"])) >= 1
    assert float(ga["evaluations"]) == 6 + 2 * 4 + 2  # two generations, and their polish
    assert evolution.WorthSuite([]).table(rows).row_count == 3


def test_lagged_vectors_hold_outputs_then_inputs():
    u, y = np.arange(5.0), 10 * np.arange(5.0)
    assert models.Peer(1, 2).taps(u, y).tolist() == [
        [10.0, 0.0, 2.0, 1.0],
        [20.0, 10.0, 3.0, 2.0],
        [30.0, 20.0, 4.0, 3.0],
    ]


def test_an_answer_is_told_by_its_end_and_an_error_by_its_name():
    assert defects.ending(np.array([1.0, 0.0, 0.0])) == "ends in 2 values of 0.0"
    assert defects.ending(np.array([1.0, np.nan])) == "ends in 1 values of nan"
    assert defects.ending(np.array([0.0, 0.0])) == "ends in 2 values of 0.0"
    assert defects.outcome(np.zeros, 3) == "3 values"
    assert defects.outcome(int, "x") == "ValueError"


def test_a_file_tells_the_versions_of_its_packages():
    line = report.machine(("rich", "no_such_package"))
    assert f"rich {version('rich')}" in line
    assert "no_such_package missing" in line


QUICK = {"hidden_layer_sizes": (2,), "linear_alpha": 0.0, "max_iter": 2}


def rolled(name, first, last, **options):
    """A recipe with a linear model, and a part of its series."""
    task = TASKS[name]
    return rolling.Recipe(task, "open", settings=QUICK, **options), task.read().loc[first:last]


def test_a_rolling_forecast_knows_nothing_after_its_last_target():
    recipe, data = rolled("turbine-hindcast", "2014-02-01", "2014-02-20")
    model, origins = recipe.fit(data), recipe.task.origins(data)[:1]
    assert model.structure_.taps.reach.lead == 3
    last = data.index.get_loc(origins[0]) + 24
    unknown = data.copy()
    unknown.iloc[last + 1 :, :] = 1e6
    y_hat = recipe.forecasts(model, data, origins)
    assert y_hat.shape == (1, 24)
    np.testing.assert_array_equal(recipe.forecasts(model, unknown, origins), y_hat)
    unknown.iloc[last] = 0.0
    assert (recipe.forecasts(model, unknown, origins) != y_hat)[0, -4:].any()


@pytest.mark.parametrize("name", ["wind", "turbine"])
def test_rolling_forecasts_are_those_of_a_backtest(name):
    recipe, data = rolled(name, "2014-02-01" if name == "turbine" else "2017-02-01", None)
    data = data.iloc[: 20 * 24]
    assert data[recipe.task.target].notna().all()
    model, origins = recipe.fit(data), recipe.task.origins(data)
    answers = backtest(model, data[recipe.task.features], data[recipe.task.target], 24, origins)
    np.testing.assert_allclose(
        recipe.forecasts(model, data, origins).ravel(), answers["y_hat"], rtol=1e-9
    )


def test_the_index_and_its_weight_give_the_error_of_the_irradiance():
    recipe, data = rolled("solar", "2017-05-01", "2017-05-20")
    sky, model = data["clear_sky"], recipe.fit(data)
    by_day = sky > 0.02 * sky.max()
    index, weight = (
        (data["ghi"] / sky).where(by_day).ffill(),
        (sky / sky.max()).where(by_day, 0) ** 2,
    )
    np.testing.assert_allclose(
        (weight * (index - 0.5) ** 2)[by_day] * sky.max() ** 2,
        ((data["ghi"] - 0.5 * sky) ** 2)[by_day],
    )
    X, begin = recipe.inputs(data), int(np.argmax(by_day))
    by_hand = recipe.network().fit(X[begin:], index[begin:], sample_weight=weight[begin:])
    np.testing.assert_array_equal(rolling.network_of(model).theta_, by_hand.theta_)
    origins = recipe.task.origins(data)
    y_hat = recipe.forecasts(model, data, origins)
    assert (y_hat[:, :5].min() == 0) and np.isfinite(y_hat).all()
    first = data.index.get_indexer(origins)[:, None] + np.arange(1, 25)
    answers = backtest(by_hand, X[begin:], index[begin:], 24, origins)["y_hat"].to_numpy()
    limit, ahead = data["limit"].to_numpy()[first], sky.to_numpy()[first]
    # hours before the first day have the mean index there, and none here
    y_by_hand = np.clip(answers.reshape(y_hat.shape) * ahead, 0, limit)
    np.testing.assert_allclose(y_hat[24:], y_by_hand[24:], rtol=1e-12, atol=1e-9)


def test_missing_hours_are_history_but_no_targets():
    recipe, data = rolled("turbine", "2014-02-01", "2014-02-20")
    data = data.assign(power_kw=data["power_kw"].mask(np.arange(len(data)) == 100))
    y, weight = recipe.outputs(data)
    assert y.iloc[100] == y.iloc[99]
    np.testing.assert_array_equal(weight, np.arange(len(data)) != 100)


def test_plain_networks_are_shown_the_series_itself():
    for name in rolling.NAMES:
        kinds = [linear.kind for linear in rolling.kinds(TASKS[name])]
        assert kinds[:2] == ["one step", "24 steps"]
        shown = [("plain", rolling.KNOWLEDGE), ("windows", rolling.WINDOWS)]
        more = [word for word, names in shown if name in names]
        assert kinds[2:] == [f"{kind}, {word}" for word in more for kind in kinds[:2]]
    recipe, data = rolled("solar", "2017-05-01", "2017-05-03", is_plain=True)
    y, weight = recipe.outputs(data)
    np.testing.assert_array_equal(y, data["ghi"])
    assert (weight == 1).all() and recipe.network().output_range == (0, "limit")
    windows = rolled("solar", "2017-05-01", "2017-05-03", has_windows=True)[0].network()
    assert windows.output_lags == rolling.WINDOWS["solar"] and (1, 48) in windows.output_lags


def test_the_linear_model_stands_beside_every_network(monkeypatch):
    chosen = {"one step": rolling.OFF, "24 steps": 3.0}
    monkeypatch.setattr(rolling, "PENALTIES", {"wind": chosen})
    rows = [(recipe.kind, recipe.alpha) for recipe in rolling.recipes(TASKS["wind"])]
    assert rows == [("one step", np.inf), ("24 steps", 3.0), ("24 steps", np.inf)]


def test_every_penalty_of_the_table_is_one_of_those_tried():
    tried = {*rolling.ALPHAS, rolling.OFF}
    for name in rolling.NAMES:
        chosen = rolling.PENALTIES[name]
        assert list(chosen) == [linear.kind for linear in rolling.kinds(TASKS[name])]
        assert tried.issuperset(chosen.values())


def test_blocks_that_were_left_out_judge_a_recipe():
    task = replace(TASKS["wind"], training=("2017-05-01", "2017-05-31"), validation=None)
    linear = rolling.Recipe(task, "open", settings=QUICK)
    ratio, lives = rolling.ratio_by_blocks(linear, n_blocks=6, n_folds=3)
    assert ratio == pytest.approx(1.0, abs=0.2) and not lives
    other, lives = rolling.ratio_by_blocks(replace(linear, alpha=0.1), n_blocks=6, n_folds=3)
    assert other != ratio and lives


@pytest.mark.parametrize(
    "ratios, chosen, n_tried",
    [
        ({100.0: 0.99, 30.0: 0.97, 10.0: 0.98, 3.0: 0.5}, 30.0, 5),  # until errors rise
        ({100.0: 1.1, 30.0: 1.2}, np.inf, 4),
        ({30.0: 1.1, 10.0: 0.9, 3.0: 0.95}, 10.0, 6),
        ({}, np.inf, 8),
    ],
)
def test_blocks_choose_a_penalty_or_the_linear_model(monkeypatch, ratios, chosen, n_tried):
    told = []

    def judge(recipe, folds=rolling.FOLDS):
        return ratios.get(recipe.alpha, 1.0), recipe.alpha in ratios

    alphas = 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3
    monkeypatch.setattr(rolling, "ratio_by_blocks", judge)
    linear = rolling.Recipe(TASKS["wind"], "open")
    assert rolling.choose(linear, alphas, announce=told.append) == chosen
    assert len(told) == n_tried + 1 + (chosen < np.inf)
    assert ("network off" in told[1]) == (1000.0 not in ratios)


def test_all_folds_confirm_a_network(monkeypatch):
    def judge(recipe, folds=rolling.FOLDS):
        return (0.9 if folds == rolling.FOLDS else 1.1) if recipe.alpha == 3.0 else 1.0, True

    monkeypatch.setattr(rolling, "ratio_by_blocks", judge)
    assert rolling.choose(rolling.Recipe(TASKS["wind"], "open"), announce=str) == np.inf


def test_a_row_is_called_a_network_where_one_lives_and_tells_each_alone():
    task = replace(
        TASKS["wind"], training=("2017-05-01", "2017-05-20"), validation=None,
        test=("2017-05-21", "2017-05-31"),
    )  # fmt: skip
    evaluation = run(task, learned=("arx",))
    recipe = rolling.Recipe(task, "open", alpha=0.1, settings=QUICK)
    label, y_hat, figures = rolling.forecast(recipe, evaluation, range(3))
    assert label == "NARX, one step" and figures["penalty"] == 0.1
    assert figures["alone, least"] < figures["alone"] < figures["alone, most"]
    assert figures["hidden share %"] > 0 and y_hat.shape == (evaluation.n_origins, 24)
    linear = rolling.forecast(replace(recipe, alpha=rolling.OFF), evaluation, range(3))
    assert linear[0] == "linear (NARX, network off), one step" and list(linear[2]) == ["fit s"]
    off = rolling.forecast(replace(recipe, alpha=1e6), evaluation, range(3))
    assert off[0] == linear[0]


def test_a_size_is_met_within_a_per_cent_and_a_verdict_may_be_smaller():
    def met(*arguments):
        return rejecting.line("white, normal", "size", 100, *arguments)["met"]

    assert [met("phi_ee", share) for share in (3.9, 4.1, 5.9, 6.1)] == ["no", "yes", "yes", "no"]
    assert [met("verdict", share) for share in (1.0, 6.1)] == ["yes", "no"]
    assert rejecting.line("AR(1) 0.2", "power", 100, "phi_ee", 90.0)["met"] == ""


def test_every_kind_of_residuals_stands_before_every_test(monkeypatch):
    monkeypatch.setattr(rejecting, "RUNS", {"size": 20, "power": 20})
    rows = list(rejecting.SUITE.rows(True, lambda name: None))
    assert {row["residuals"] for row in rows} == set(rejecting.CASES)
    assert len(rows) == 9 * len(rejecting.CASES)
    console = Console(record=True, width=200)
    console.print(rejecting.SUITE.table(rows))
    assert "missing square" in console.export_text()


def test_what_was_missed_has_its_share_of_the_variance():
    rng = np.random.default_rng(0)
    for make in (rejecting.autoregressive, rejecting.missing_lag, rejecting.missing_square):
        variance = np.mean([np.var(make(rng)[0]) for _ in range(200)])
        assert variance == pytest.approx(1 / 0.96, abs=0.02)


def test_hurst_exponents_are_counted_by_method(monkeypatch):
    monkeypatch.setattr(hurst, "QUICK_RUNS", 5)
    rows = list(hurst.COVERAGE.rows(True, lambda name: None))
    assert [row["method"] for row in rows] == [*hurst.VARIANTS] * 3
    assert {row["runs"] for row in rows} == {"5"}
    assert hurst.COVERAGE.table(rows).row_count == len(rows)


def test_the_bound_of_hurst_exponents_is_near_the_published_one():
    """That one knows the mean, which is worth 2 to 4 % at 1,024 rows."""
    for exponent, published in {0.5: 0.0194, 0.8: 0.0205}.items():
        assert 1.0 < hurst.cramer_rao(1024, exponent) / published < 1.05


def test_numpy_gives_the_fluctuations_of_the_kernels(monkeypatch):
    monkeypatch.setattr(hurst, "MILLION", 2000)
    hurst.fluctuations(), hurst.ranges()


def test_simulated_laws_are_written_as_they_are_read(monkeypatch):
    monkeypatch.setattr(hurst_laws, "RUNS", {128: 4, 256: 4})
    monkeypatch.setattr(hurst_laws.scaling, "polynomials", hurst_laws.scaling.polynomials)
    room = {}
    exec(hurst_laws.module(*hurst_laws.tables(lambda name: None)), room)
    assert room["SIZES"] == (128, 256)
    assert np.shape(room["MEANS"]["dfa3"]) == np.shape(room["STDS"]["rs"]) == (2, 7)


def test_verdicts_and_exponents_are_counted_by_length(monkeypatch):
    kinds = {name: judging.KINDS[name] for name in ("white noise, normal", "random walk")}
    monkeypatch.setattr(judging, "N_JOBS", 1)
    monkeypatch.setattr(
        judging, "KINDS", {name: kind._replace(runs={250: 20}) for name, kind in kinds.items()}
    )
    monkeypatch.setattr(judging, "SYSTEMS", {"Henon map": judging.SYSTEMS["Henon map"]})
    rows = list(judging.VERDICTS.rows(True, lambda name: None))
    assert [row["asked"] for row in rows] == [
        "called random", "not called deterministic", "within 5% of 0.419"
    ]  # fmt: skip
    assert [row["runs"] for row in rows] == ["2", "2", "2"]
    assert [bool(row["median"]) for row in rows] == [False, False, True]
    assert judging.VERDICTS.table(rows).row_count == len(rows)


def test_a_verdict_is_asked_for_or_must_not_be_given():
    walk, noise = judging.KINDS["random walk"], judging.KINDS["white noise, normal"]
    told = SimpleNamespace(verdict="random"), SimpleNamespace(verdict="deterministic")
    assert [walk.asked.is_told(report) for report in told] == [True, False]
    assert [noise.asked.is_told(report) for report in told] == [True, False]
    mets = [judging.line("", 9, "", [True] * 19 + [last], 0.95)["met"] for last in (True, False)]
    assert mets == ["yes", "yes"]
    assert judging.line("", 9, "", [True] * 18 + [False] * 2, 0.95)["met"] == "no"
    assert judging.line("", 9, "", [True], None)["met"] == ""


def test_series_of_known_kind_are_repeatable_and_differ():
    for made in (*judging.KINDS.values(), *judging.SYSTEMS.values()):
        one, again, other = (made.make(300, seed) for seed in (1, 1, 2))
        assert one.shape == (300,) and np.isfinite(one).all()
        assert (one == again).all() and (one != other).any()


class Constant:
    """A model that forecasts one value, and has heard of being linear or not."""

    def __init__(self, value, **attributes):
        self.value = value
        vars(self).update(attributes)

    def fit(self, X, y):
        return self

    def forecast(self, steps):
        return pd.Series(np.full(steps, self.value))


def toys(n_series, values, limits):
    """A set on constant series of 1, forecast by what a setting and a seed give."""

    class Toy(defaults.Problem):
        def model(self, setting, seed):
            value = values[setting][seed] if setting in values else 2.0
            return Constant(value, **({"is_linear_": seed > 0} if setting == "now" else {}))

    y = np.array([0.0, 1.0] * 4)
    test = partial(defaults.mase, y=y, future=np.ones(3), season=1)
    problems = [Toy((None, y), {"MASE": test}, {}, ARX()) for _ in range(n_series)]
    settings = ("now", "before", "linear")
    return defaults.Set("Toys", "", problems, {"MASE": limits}, np.mean, settings)


def test_settings_stand_beside_the_linear_one():
    values = {"now": [1.5, 4.0, 2.0], "before": [3.0, np.nan, 5.0]}
    made = toys(2, values, {"ratio_to_linear": 1.5, "not_finite": 0})
    suite = defaults.DefaultsSuite("Toys", {"Toys": lambda: made, "Lost": lost})
    *rows, missing = [row for row in all_seeds(suite, 3)]
    now, before, linear, ridge = rows
    assert [row["setting"] for row in rows] == ["now", "before", "linear", "ridge ARX"]
    assert [row["seeds"] for row in rows] == ["3", "3", "1", "1"]
    assert now["errors"] == "0.5 3 1" and now["error"] == now["ratio_to_linear"] == "1.5"
    assert (now["worst"], now["not_finite"], now["network_lives"]) == ("3", "0", "0.3333")
    assert before["errors"] == "2 inf 4" and (before["worst"], before["not_finite"]) == ("4", "2")
    assert [row["met"] for row in rows] == ["yes", "no", "", ""]
    assert before["network_lives"] == "" and before["fit_ratio"] == "1"
    assert linear["error"] == ridge["error"] == "1" and linear["target"] == ""
    assert missing["set"] == "Lost" and missing["met"] == "needs lost.csv"
    console = Console(record=True, width=200)
    console.print(suite.table([*rows, missing]))
    assert "needs lost.csv" in console.export_text()


def all_seeds(suite, n_seeds):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(defaults, "SEEDS", range(n_seeds))
        yield from suite.rows(False, lambda name: None)


def test_a_quick_look_takes_some_series_and_seeds():
    made = toys(41, {"now": [1.5, 4.0], "before": [3.0, 3.0]}, {})
    rows = list(defaults.DefaultsSuite("", {"Toys": lambda: made}).rows(True, lambda name: None))
    assert [(row["series"], row["seeds"]) for row in rows[:2]] == [("3", "2")] * 2
    assert len(made.problems) == 41


def test_a_setting_that_always_diverges_has_no_ratio():
    made = toys(1, {"now": [np.nan], "before": [1.5], "linear": [np.inf]}, {"error": 1.0})
    rows = {
        row["setting"]: row for row in all_seeds(defaults.DefaultsSuite("", {"": lambda: made}), 1)
    }
    assert (rows["now"]["error"], rows["now"]["worst"], rows["now"]["met"]) == ("inf", "inf", "no")
    assert rows["now"]["ratio_to_linear"] == "" and rows["before"]["met"] == "yes"


def test_a_setting_is_a_network_of_the_lags_and_nothing_else():
    problem = defaults.Problem((None, None), {}, {"output_lags": 12}, ARX(output_lags=12))
    now, before = (problem.model(setting, 3).get_params() for setting in ("now", "before"))
    assert now == NARX(output_lags=12, random_state=3).get_params()
    assert before == now | {"alpha": 1e-4, "linear_alpha": 0.0}
    assert problem.model("ridge ARX", 3).get_params() == problem.ridge.get_params()


@pytest.mark.skipif(not defaults.SYSTEMS.exists(), reason="the shared plants are missing")
def test_plants_are_judged_without_their_noise(monkeypatch):
    for name, make in defaults.PLANTS.makers.items():
        (problem,) = make().problems
        X, y = problem.fitting
        assert len(X) == len(y) == (3400 if "lev" in name else 600 if "noisy" in name else 3000)
    judged = []

    def spread(model, X, y, skip=0):
        judged.append((y, skip))
        return np.std(y)

    monkeypatch.setattr(defaults, "free_run_error", spread)
    clean, noisy, magnet, *_ = (make().problems[0] for make in defaults.PLANTS.makers.values())
    assert clean.tests["free run"](None) == noisy.tests["free run"](None) == 1.0
    magnet.tests["free run"](None)
    _, truth = defaults.plants().narendra(2000, 1)
    for y, skip in judged[:2]:
        np.testing.assert_array_equal(y, truth)
        assert skip == 10
    assert len(judged[2][0]) == 601 + 2


def test_a_rolling_error_is_that_of_the_evaluation():
    task = replace(
        TASKS["wind"], training=("2017-05-01", "2017-05-20"), validation=None,
        test=("2017-05-21", "2017-05-31"),
    )  # fmt: skip
    evaluation = run(task, learned=("arx",))
    test = task.read().loc[slice(*task.test)]
    error = defaults.rolling_error(evaluation.models["ridge ARX"], task, test)
    assert error == pytest.approx(evaluation.table().loc["ridge ARX", "RMSE mean"])


def sequences_of(made):
    """The rows of each sequence: its inputs and its targets."""
    cuts = np.flatnonzero(np.diff(made.labels)) + 1
    return list(zip(np.split(made.X, cuts), np.split(made.y, cuts)))


def test_the_adding_problem_asks_for_half_and_a_quarter_of_two_marked_numbers():
    made = long_memory.adding(300, 20, np.random.default_rng(0))
    for X, y in sequences_of(made):
        (marked,) = np.nonzero(X[:, 1] == 1.0)
        assert 20 <= len(X) <= 22 and len(marked) == 2 and marked[0] < 10 and marked[1] < 10
        numbers = np.where(marked > 0, X[marked, 0], 0.0)
        assert np.isnan(y[:-1]).all() and y[-1] == pytest.approx(0.5 + numbers.sum() / 4)
        assert X[-1, 1] == -1.0 and X[0, 1] == (1.0 if marked[0] == 0 else -1.0)


def test_the_temporal_order_is_that_of_the_two_symbols_that_count():
    made = long_memory.temporal_order(300, 100, np.random.default_rng(0))
    for X, y in sequences_of(made):
        symbols = X.argmax(axis=1)
        (at,) = np.nonzero((symbols == 4) | (symbols == 5))
        assert 10 <= at[0] <= 20 and 50 <= at[1] <= 60 and 100 <= len(X) <= 110
        first, second = symbols[at] - 4
        assert np.isnan(y[:-1]).all() and y[-1].tolist() == np.eye(4)[2 * first + second].tolist()
        assert symbols[0] == 6 and symbols[-1] == 7 and X.sum(axis=1).tolist() == [1.0] * len(X)


def test_a_parity_is_of_all_bits_so_far():
    made = long_memory.parity(5, 30, np.random.default_rng(0))
    for X, y in sequences_of(made):
        assert y.tolist() == [X[: i + 1].sum() % 2 for i in range(30)]


def test_a_sequence_is_wrong_where_any_target_is_missed():
    """Predictions that are not there are wrong too, and rows without a target never are."""
    y = np.array([np.nan, 0.0, 0.0, np.nan, 0.0, 0.0])
    made = long_memory.Sequences(np.zeros((6, 1)), y, np.array([0, 0, 1, 1, 2, 3]))
    model = SimpleNamespace(simulate=lambda X: np.array([9.0, 0.3, 0.0, 9.0, np.nan, 0.1]))
    assert [long_memory.n_wrong(model, made, limit) for limit in (0.2, 0.4)] == [2, 1]


@pytest.mark.parametrize("network", long_memory.NETWORKS)
def test_networks_begin_with_the_memory_that_is_asked_for(network):
    """They have learned nothing before the sequences that count."""
    made = long_memory.adding(20, 20, np.random.default_rng(0))
    settings = {"chrono_t_max": 20, "random_state": 0}
    model = long_memory.begun(long_memory.NETWORKS[network], made, 20, **settings)
    start = model.structure_.initial(np.random.default_rng(0))
    gates = model.structure_.unpack(model.theta_).layers[0]["bias"].reshape(-1, 16)
    rows = np.exp(gates[KEPT[model.structure_.cell]])
    assert rows.min() >= 1.0 and rows.max() <= 19.0 and np.ptp(rows) > 5.0
    assert model.theta_.shape == start.shape and model.structure_.chrono_t_max == 20


def test_free_runs_of_cells_are_bound_by_what_is_published_of_their_kind(monkeypatch):
    records = ("multisine", "arrow", "arrow, no extrapolation")
    tests = dict.fromkeys(f"{record}, {part}" for record in records for part in ("cut", "all"))
    for name, those in (("silverbox", tests), ("tanks", {"test": None})):
        made = free_runs.Series(name, "V", None, None, those, ())
        monkeypatch.setattr(free_runs, name, lambda made=made: made)
    series = {cell: (recurrent.silverbox(cell), recurrent.tanks(cell)) for cell in recurrent.CELLS}
    targets = {cell: [list(one.targets.values()) for one in both] for cell, both in series.items()}
    assert targets["Elman"] == [[], []]
    assert targets["GRU"] == [[0.745, 0.745, 1.4, 1.4, 0.4735, 0.4735], [0.396]]
    assert targets["LSTM"] == [[0.75, 0.75, 1.34, 1.34, 0.48, 0.48], [0.49]]


def test_defaults_of_cells_are_judged_inside_the_fitting_period(monkeypatch):
    """The last quarter of 2017, from what the first three quarters tell."""
    seen = {}

    class Recorder:
        is_linear_ = False

        def __init__(self, **parameters):
            seen["parameters"] = parameters

        def fit(self, X, y):
            seen["learned"] = X.index.append(y.index)

    def error(model, task, data):
        seen["judged"] = data.index
        return 2.0

    monkeypatch.setattr(cell_defaults, "rolling_error", error)
    made = cell_defaults.trial("wind", Recorder, {"window": 2}, 7)
    assert made.error == 2.0 and made.lives
    task = TASKS["wind"]
    rows = task.read().loc[slice(*task.fitting)].index
    n = len(rows) * 3 // 4
    assert seen["learned"].equals(rows[:n].append(rows[:n])) and seen["judged"].equals(rows[n:])
    assert seen["judged"][-1] < task.read().loc[slice(*task.test)].index[0]
    known = {"input_lags": dict(task.input_lags), "output_range": task.output_range}
    assert seen["parameters"] == {"random_state": 7, "window": 2} | known


def test_a_setting_of_cells_stands_beside_the_defaults_and_the_linear_model():
    trials = [cell_defaults.Trial(*figures) for figures in ((3, 1, True), (1, 3, False), (2, 2, 1))]
    row = cell_defaults.row("wind", "GRU", "window 12", trials, now=1.0, linear=4.0)
    assert (row["error"], row["min"], row["max"]) == ("2", "1", "3")
    assert (row["ratio_to_now"], row["ratio_to_linear"]) == ("2", "0.5")
    assert (row["network_lives"], row["fit_s"], row["errors"]) == ("2 of 3", "2", "3 1 2")
    console = Console(record=True, width=200)
    console.print(cell_defaults.SUITE.table([row]))
    assert "2 m/s (1 to 3)" in console.export_text()


def test_medians_of_long_memories_are_shown_with_their_ranges():
    figures = ((100, 1.0, 0), (300, 3.0, 2), (200, 2.0, 1))
    rows = [
        long_memory.line("adding", "LSTM", 100, seed, *those) for seed, those in enumerate(figures)
    ]
    console = Console(record=True, width=200)
    console.print(long_memory.SUITE.table(rows))
    assert [row["solved"] for row in rows] == ["yes", "no", "yes"]
    shown = console.export_text()
    assert all(text in shown for text in ("200 (100 to 300)", "1 (0 to 2)", "2 of 3"))


COMPETITION = {
    "step": "MS",
    "horizon": 2,
    "season": 1,
    "seasons": (12, 24),
    "must": 0.5,
    "aim": 0.4,
}


@pytest.fixture
def competition(monkeypatch):
    """Two series of 40 months: 0 and 1 in turn, and then two rows of 1 for the test."""
    y = np.append(np.tile([0.0, 1.0], 20), [1.0, 1.0])
    one = pd.DataFrame({"ds": pd.date_range("1990-01", periods=42, freq="MS"), "y": y})
    one = one.assign(ds=one["ds"].dt.strftime("%Y-%m"), split=["train"] * 40 + ["test"] * 2)
    table = pd.concat([one.assign(unique_id=name) for name in ("A", "B")])
    monkeypatch.setattr(competitions.accuracy, "read", lambda name: table)
    return competitions.Competition("Toys", "toys.csv", **COMPETITION, below=("rival", "absent"))


def contestants(**values):
    """Contestants that forecast one value, an exception is raised."""

    def forecast(value, y, competition):
        if isinstance(value, Exception):
            raise value
        return np.full(competition.horizon, value)

    auto = {"AutoNARX": values.pop("auto")}
    made = [
        competitions.Contestant(name, partial(forecast, value))
        for name, value in (auto | values).items()
    ]
    return (*made, competitions.Contestant("absent", None, ("no_such_package.models",)))


def test_forecasts_of_a_competition_are_scored_and_compared(competition, monkeypatch):
    rivals = contestants(auto=0.8, rival=0.5, far=20.0, refuses=ValueError("too short"))
    monkeypatch.setattr(competitions, "CONTESTANTS", rivals)
    suite = competitions.CompetitionsSuite([competition])
    rows = {row["model"]: row for row in suite.rows(False, lambda name: None)}
    auto, rival, far, refuses, absent = rows.values()
    assert (auto["series"], auto["rows"], auto["mase"]) == ("2", "40", "0.2")
    assert not auto["difference"]
    assert float(auto["smape"]) == pytest.approx(200 * 0.2 / 1.8, rel=1e-3)
    differences = [rival[f"difference{end}"] for end in ("", "_low", "_high")]
    assert rival["mase"] == "0.5" and differences == ["0.3", "0.3", "0.3"]
    assert (auto["far"], far["far"], far["worst_mase"]) == ("0", "2", "19")
    assert (refuses["not_finite"], refuses["mase"]) == ("2", "inf")
    assert refuses["failure"] == "ValueError: too short" and not far["failure"]
    assert absent["met"] == "needs no_such_package" and not absent["mase"]
    assert (auto["met"], auto["aim_met"], rival["met"]) == ("yes", "yes", "")
    console = Console(record=True, width=200)
    console.print(suite.table(list(rows.values())))
    assert "0.3 (0.3 to 0.3)" in console.export_text()


@pytest.mark.parametrize(
    "auto, rival, met, aim", [(0.55, 0.5, "yes", "no"), (0.8, 0.9, "no", "yes")]
)
def test_a_competition_is_won_below_the_peers_that_are_there(
    auto, rival, met, aim, competition, monkeypatch
):
    monkeypatch.setattr(competitions, "CONTESTANTS", contestants(auto=auto, rival=rival))
    row = next(competition.rows(False, lambda name: None))
    assert (row["met"], row["aim_met"]) == (met, aim)
    assert row["target"].endswith("mase <= 0.5, mase < that of rival")


def test_a_quick_competition_does_not_see_the_test_rows(competition):
    (made,) = competition.series(quick=True)
    assert len(made.y) == 38 and made.future.tolist() == [0.0, 1.0]
    assert [len(one.y) for one in competition.series()] == [40, 40]


def test_series_of_a_competition_have_a_clock():
    months = competitions.clock(pd.Series(["1990-11", "1990-12", "1991-01"]), "MS")
    assert months.freqstr == "MS" and months[-1] == pd.Timestamp("1991-01-01")
    weeks = competitions.clock(pd.Series([0, 1, 2]), "W")
    assert weeks.freqstr == "W-SUN" and weeks[-1] == pd.Timestamp("2000-01-16")


def test_peers_are_told_the_seasons_that_a_series_has(competition):
    y = np.zeros(47)
    assert competition.seasons_in(y) == [12] and competition.seasons_in(y[:23]) == []
    assert competitions.lags(y, competition) == [*range(1, 13)]
    assert competitions.lags(np.zeros(72), competition) == [*range(1, 13), 23, 24, 25]
    assert competitions.lags(y[:35], competition) == [1, 2]


def test_an_interval_of_pairs_is_that_of_their_mean():
    mean, low, high = competitions.paired(np.append(np.tile([0.0, 2.0], 200), np.nan))
    assert mean == 1 and (mean - low, high - mean) == pytest.approx((1.96 / 20,) * 2, rel=0.05)
    assert np.isnan(competitions.paired(np.array([np.nan]))).all()


def test_contestants_of_narxkit_forecast_a_competition(competition):
    for one in competitions.CONTESTANTS[:5]:
        trial = one.trial(competition.series()[0], competition)
        assert np.isfinite(trial.mase) and not trial.failure


def test_passengers_are_those_of_box_and_jenkins():
    y = yardsticks.passengers()
    assert (len(y), y.sum(), y.max()) == (144, 40363, 622)
    assert y.idxmax() == pd.Timestamp("1960-07-01")


def test_a_yardstick_of_statsmodels_errs_as_published():
    pytest.importorskip("statsmodels")
    *_, smoothing = yardsticks.SUITE.contests[0].runs.values()
    figures = yardsticks.SUITE.contests[0].measure(smoothing, quick=False)
    # 22.65 of statsmodels 0.15, 22.43 of 0.14: the optimiser is another
    assert figures["origins"] == 7 and figures["rmse"] == pytest.approx(22.6, abs=0.2)


@pytest.mark.skipif(not defaults.SYSTEMS.exists(), reason="the shared plants are missing")
def test_least_squares_know_the_load_but_for_its_noise():
    """The errors grow as those of the autoregression do, to its standard deviation."""
    errors = yardsticks.errors_of_load(yardsticks.least_squares, False, yardsticks.Stopwatch())
    rmse = np.sqrt(np.mean(errors**2, axis=0))
    steps = np.arange(1, 97)
    expected = 9 * np.sqrt((1 - 0.97 ** (2 * steps)) / (1 - 0.97**2))
    assert errors.shape == (3648, 96)
    np.testing.assert_allclose(rmse, expected, rtol=0.07)


def test_yardsticks_are_the_last_models_and_may_be_missing():
    def errors(run, quick, watch):
        return watch.fit(run) * np.ones((2, 3))

    runs = {"AutoNARX": lambda: 1.2, "truth": lambda: 1.0}
    contest = yardsticks.Contest("toy", "MW", errors, runs, 0, "ratio", must=1.3, aim=1.1)
    suite = yardsticks.YardsticksSuite([contest, replace(contest, needs="no_such_package")])
    rows = list(suite.rows(False, lambda name: None))
    assert [(row["rmse"], row["ratio"]) for row in rows[:2]] == [("1.2", "1.2"), ("1", "1")]
    assert [(row["met"], row["aim_met"]) for row in rows[:2]] == [("yes", "no"), ("", "")]
    assert [row["met"] for row in rows[2:]] == ["", "needs no_such_package"]
    console = Console(record=True, width=200)
    console.print(suite.table(rows))
    assert "1.2 MW" in console.export_text()


def test_a_competition_without_its_file_has_no_figures(monkeypatch):
    monkeypatch.setattr(competitions.accuracy, "FOLDER", Path("no_such_folder"))
    suite = competitions.SUITE
    rows = list(suite.rows(True, lambda name: None))
    assert [row["set"] for row in rows] == ["M3 monthly", "M4 hourly", "M4 weekly"]
    assert rows[0]["met"] == "needs m3_monthly.csv.gz"
    assert suite.table(rows).row_count == 3


# --- intervals -----------------------------------------------------------------------------------


def test_futures_follow_the_law_of_their_system():
    """Of an autoregression from 2 on: 0.8^h 2 in the mean, the deviation of its innovations."""
    rng = np.random.default_rng(0)
    system = intervals.SYSTEMS["AR(1)"]
    paths = np.concatenate(
        [intervals.futures(system, (2.0,), np.zeros(3), rng) for _ in range(200)]
    )
    np.testing.assert_allclose(paths.mean(axis=0), [1.6, 1.28, 1.024], atol=0.05)
    np.testing.assert_allclose(paths.std(axis=0), np.sqrt([1, 1.64, 2.0496]), rtol=0.03)


def test_each_future_is_held_or_not():
    fan = pd.DataFrame({"y": [0.0, 0.0], "y-lo-80": [-1.0, -2.0], "y-hi-80": [1.0, 2.0]})
    fan[["y-lo-95", "y-hi-95"]] = [[-3.0, 3.0], [-3.0, 3.0]]
    runs = intervals.as_backtest(fan, np.array([[0.5, 2.5], [1.5, 0.0]]))
    rows = intervals.scored("AR(1)", "ARX", runs, 2.0)
    held = {(row["level"], row["horizon"]): (row["coverage"], row["met"]) for row in rows}
    assert held == {(80, 1): ("50.0", "no"), (80, "mean"): ("50.0", ""),
                    (95, 1): ("100.0", "no"), (95, "mean"): ("100.0", "")}  # fmt: skip
    assert intervals.SUITE.table(rows).row_count == 2


# --- many series ---------------------------------------------------------------------------------


def hourly_series(n_series=2, n_rows=200):
    """Rows of a competition: days that go up by 2, and then by one more."""
    t = np.arange(n_rows)
    values = t % 24 + 2.0 * (t // 24)
    rows = {"unique_id": np.repeat(list("ab")[:n_series], n_rows), "ds": np.tile(t, n_series)}
    split = np.where(t < n_rows - many_series.STEPS, "train", "test")
    return pd.DataFrame({**rows, "y": np.tile(values, n_series), "split": np.tile(split, n_series)})


@pytest.mark.parametrize("is_pseudo, last", [(True, 103), (False, 151)])
def test_a_pseudo_test_leaves_the_test_alone(is_pseudo, last, monkeypatch):
    monkeypatch.setattr(many_series, "read", lambda name: hourly_series())
    learn, ahead = many_series.halves(is_pseudo)
    assert list(learn.loc["b"].index) == list(range(last + 1))
    assert list(ahead.loc["b"].index) == list(range(last + 1, last + 49))


def test_models_of_many_series_stand_beside_each_other(monkeypatch):
    monkeypatch.setattr(many_series, "read", lambda name: hourly_series())
    naive = many_series.PerSeries(many_series.SeasonalNaive(period=24))
    monkeypatch.setattr(many_series, "MODELS", {"seasonal naive": naive})
    suite = many_series.CompetitionSuite("Toys", is_pseudo=False)
    (row,) = suite.rows(False, lambda name: None)
    # a day ago is off by 2, and for the second day by 4
    assert (row["series"], row["MASE"], row["not_finite"]) == ("2", "1.5", "0")
    assert suite.table([row]).row_count == 1


def test_many_series_without_their_file_are_left_out(monkeypatch):
    def lost(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(many_series, "read", lost)
    assert not list(many_series.CompetitionSuite("Lost", True).rows(False, lambda name: None))


def test_models_on_two_processes_are_those_on_one(monkeypatch):
    monkeypatch.setattr(many_series, "N_ROWS", 100)
    many_series.long_frame.cache_clear()
    gauges = many_series.on_two(lambda function: function, many_series.one_each)
    many_series.long_frame.cache_clear()
    assert len(gauges) == 2
