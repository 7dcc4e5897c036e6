"""The harness of the benchmarks; what it measures is no matter of tests."""

import csv
import sys
from functools import partial
from importlib.metadata import version
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

sys.path.append(str(Path(__file__).parents[1]))

pytest.importorskip("benchmarks", reason="the benchmarks are not beside the tests")

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import byhand, harness, report, speed  # noqa: E402
from benchmarks.harness import Case, constant, measure  # noqa: E402
from benchmarks.peers import accuracy, defects, models  # noqa: E402
from benchmarks.peers import speed as peers_speed  # noqa: E402
from benchmarks.report import Suite  # noqa: E402


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
