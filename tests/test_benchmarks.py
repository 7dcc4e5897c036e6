"""The harness of the benchmarks; what it measures is no matter of tests."""

import csv
import sys
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from rich.console import Console

sys.path.append(str(Path(__file__).parents[1]))

pytest.importorskip("benchmarks", reason="the benchmarks are not beside the tests")

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import harness, peers, speed  # noqa: E402
from benchmarks.harness import Case, constant, measure  # noqa: E402
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
    speed.free_run(speed.small_network, peers.numpy_free_run)
    speed.free_run(speed.large_network, peers.numpy_free_run)


@pytest.mark.parametrize("make_step", [peers.torch_modules, peers.torch_functions])
def test_loops_in_pytorch_give_the_numbers_of_the_kernel(make_step):
    pytest.importorskip("torch")
    speed.free_run(speed.small_network, partial(peers.torch_free_run, make_step))
