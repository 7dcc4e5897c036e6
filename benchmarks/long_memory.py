"""Tasks that only a long memory solves: what recurrent networks need to learn them, and depth.

In the adding problem the target, at the last of T to 1.1 T rows, is 1/2 and a quarter of the sum of
two marked numbers, one of the first ten and one of the first half; an error of 0.04 is wrong. In
the temporal order problem two symbols among random ones, after about T / 10 and T / 2 rows, tell by
their order which of four outputs is one; an error of 0.3 is wrong (Hochreiter and Schmidhuber 1997,
Neural Computation 9, 1735-1780, experiments 4 and 6a: 74,000 and 31,390 sequences at T = 100, and
209,000 for adding at T = 500). Sequences are fresh, each is presented once, and training ends where
none of 5,120 other ones is wrong; 2,560 further ones judge it. The parity of a stream of bits is
learned from short streams, all of their rows being targets, and judged over 1,000 rows. Seconds are
those of one core.

With the bias of 1 that networks begin with, a gate keeps 0.73 of a state for a row and 1e-7 of it
for 50: little slope is left to learn by. That suits series, but these tasks tell how long to
remember: with ``chrono_t_max=T`` gates begin with times of up to T rows (Tallec and Ollivier 2018,
"Can recurrent neural networks warp time?", ICLR).
"""

import time
import warnings
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from rich.table import Table

from narxkit import Adam, ElmanRegressor, GRURegressor, IRpropPlus, LSTMRegressor
from narxkit.diagnostics import memory_profile

N_JOBS = 2
N_SEEDS = 10
N_NEW = 2560  # sequences that judge
N_CHECKED = (256, 5120)  # that end training; few of them first, which mostly suffice to go on
AT_MOST = 1  # of them are wrong
N_FIRST = 500  # sequences that the scales are of
RATE, FALL, BATCH = 0.02, 0.8, 20  # the rate falls from one portion to the next
SHORT, N_SHORT, LONG = 16, 100, 1000  # rows and sequences of parity, and rows that judge it
DEEP, N_DEEP, N_PROFILED = 50, 2000, 200  # rows, sequences, and those of the memory profile
BARELY = 1e-12  # a rate at which nothing moves
NETWORKS = {"LSTM": LSTMRegressor, "GRU": GRURegressor}
ALONE = {"input_lags": 0, "output_lags": [], "linear_term": False, "alpha": 0.0}


class Sequences(NamedTuple):
    """Sequences one after another: inputs, targets or NaN, and the number of each row's."""

    X: np.ndarray
    y: np.ndarray
    labels: np.ndarray


class Task(NamedTuple):
    """Sequences ``make(n, length, rng)``, and what is wrong and allowed."""

    make: Callable
    length: int
    wrong: float
    most: int
    portion: int
    seeds: int = N_SEEDS
    seconds: float | None = None
    is_told: bool = True  # how long to remember


def lengths(n, length, rng):
    """Random lengths, and where each sequence begins and ends."""
    rows = rng.integers(length, length + length // 10 + 1, n)
    ends = rows.cumsum() - 1
    return np.repeat(np.arange(n), rows), ends - rows + 1, ends


def adding(n, length, rng):
    """Numbers and marks; the first and the last row are marked with -1."""
    labels, begins, ends = lengths(n, length, rng)
    X = np.column_stack((rng.uniform(-1, 1, len(labels)), np.zeros(len(labels))))
    first, second = rng.integers(10, size=n), rng.integers(length // 2 - 2, size=n)
    second += second >= first
    X[np.r_[begins, ends], 1] = -1.0
    y = np.full(len(labels), np.nan)
    y[ends] = 0.5
    for marked in (first, second):
        y[ends] += np.where(marked > 0, X[begins + marked, 0], 0.0) / 4  # the first row's is 0
        X[begins + marked, 1] = 1.0
    return Sequences(X, y, labels)


def temporal_order(n, length, rng):
    """Four symbols, two more that count, a first and a last one; a column for each."""
    labels, begins, ends = lengths(n, length, rng)
    symbols, which = rng.integers(4, size=len(labels)), rng.integers(2, size=(2, n))
    tenth = length // 10
    for at, of_two in zip((tenth, length // 2), which):
        symbols[begins + at + rng.integers(tenth + 1, size=n)] = 4 + of_two
    symbols[begins], symbols[ends] = 6, 7
    y = np.full((len(labels), 4), np.nan)
    y[ends] = np.eye(4)[2 * which[0] + which[1]]
    return Sequences(np.eye(8)[symbols], y, labels)


def parity(n, length, rng):
    """Bits, and whether so far an odd number of them was 1."""
    bits = rng.integers(2, size=(n, length))
    y = bits.cumsum(axis=1) % 2.0
    return Sequences(bits.reshape(-1, 1), y.ravel(), np.repeat(np.arange(n), length))


TASKS = {
    "adding": Task(adding, 100, 0.04, 74_000, 5_000, seconds=300.0),
    "temporal order": Task(temporal_order, 100, 0.3, 31_390, 1_000),
    "adding, T = 500": Task(adding, 500, 0.04, 209_000, 5_000, seeds=3),
    "adding, bias 1": Task(adding, 100, 0.04, 74_000, 5_000, seeds=3, is_told=False),
}


def n_wrong(model, sequences, wrong):
    """How many sequences have a target that a run from their first row misses."""
    X, y, labels = sequences
    rows = np.arange(len(labels)) - np.searchsorted(labels, labels)
    index = pd.MultiIndex.from_arrays((labels, rows))
    y_hat = np.asarray(model.simulate(pd.DataFrame(X, index=index))).reshape(y.shape)
    is_wrong = np.isfinite(y) & ~(np.abs(y_hat - y) < wrong)
    return len(np.unique(labels[is_wrong.reshape(len(labels), -1).any(axis=1)]))


def begun(network, sequences, length, **settings):
    """A network in the scales of some sequences that has learned nothing yet."""
    window = length + length // 10 - 1
    model = network(**ALONE, window=window, dtype="float32", tol=0.0, warm_start=True, **settings)
    return fitted(model.set_params(solver=Adam(BARELY), max_iter=1), sequences)


def fitted(model, sequences):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # most rows have no target, as they should
        return model.fit(sequences.X, sequences.y, segments=sequences.labels)


# ---------------------------------------------------------------- sequences needed
def learned(name, network, seed):
    """What one network needs for a task, as cells."""
    task, rng, start = TASKS[name], np.random.default_rng(seed), time.process_time()

    def fresh(n):
        return task.make(n, task.length, rng)

    settings = {"chrono_t_max": task.length if task.is_told else None, "random_state": seed}
    model = begun(NETWORKS[network], fresh(N_FIRST), task.length, **settings)
    done, rate = N_FIRST, RATE
    while done + task.portion <= task.most:
        adam = Adam(learning_rate=rate, batch_size=BATCH, max_grad_norm=1.0)
        fitted(model.set_params(solver=adam), fresh(task.portion))
        done, rate = done + task.portion, FALL * rate
        if all(n_wrong(model, fresh(n), task.wrong) == 0 for n in N_CHECKED):
            break
    seconds = time.process_time() - start
    wrong = n_wrong(model, fresh(N_NEW), task.wrong)
    return line(name, network, task.length, seed, done, seconds, wrong, task.seconds)


def parity_learned(seed):
    """The same for the parity of a stream, learned by whole passes."""
    rng, start = np.random.default_rng(seed), time.process_time()
    model = ElmanRegressor(**ALONE, hidden_layer_sizes=(5,), window=SHORT - 1, solver="lm")
    model.set_params(max_iter=150, n_restarts=8, tol=0.0, random_state=seed)
    fitted(model, parity(N_SHORT, SHORT, rng))
    seconds = time.process_time() - start
    wrong = n_wrong(model, parity(N_NEW, LONG, rng), 0.5)
    return line(f"parity, from {SHORT} rows", "Elman", LONG, seed, N_SHORT, seconds, wrong)


def line(task, network, length, seed, done, seconds, wrong, most_seconds=None):
    is_solved = wrong <= AT_MOST and (most_seconds is None or seconds < most_seconds)
    return {
        "task": task,
        "network": network,
        "length": str(length),
        "seed": str(seed),
        "sequences": str(done),
        "seconds": f"{seconds:.1f}",
        "wrong": str(wrong),
        "of": str(N_NEW),
        "solved": "yes" if is_solved else "no",
    }


class LongMemorySuite:
    """Sequences that tasks need, with the verbs of `report.Suite`."""

    title = "Sequences that long memories are learned from, ranges over seeds"
    packages = ()

    def rows(self, quick, announce):
        """One dict per task, network and seed; a quick run leaves out long tasks."""
        for name, task in TASKS.items():
            for network in () if quick and task.length > 100 else NETWORKS:
                announce(f"{name} by {network}")
                yield from each_seed(learned, 1 if quick else task.seeds, name, network)
        announce("parity by Elman")
        yield from each_seed(parity_learned, 1 if quick else N_SEEDS)

    def table(self, rows):
        """One line per task and network: medians with their ranges."""
        table = Table("task", "network", "sequences", "seconds", title=self.title)
        for heading in (f"wrong of {N_NEW:,}", "solved"):
            table.add_column(heading, justify="right")
        for (task, network), some in grouped(rows, "task", "network").items():
            figures = (ranged(some, key) for key in ("sequences", "seconds", "wrong"))
            n_solved = sum(row["solved"] == "yes" for row in some)
            table.add_row(task, network, *figures, f"{n_solved} of {len(some)}")
        return table


def each_seed(function, n_seeds, *arguments):
    return Parallel(n_jobs=N_JOBS)(delayed(function)(*arguments, seed) for seed in range(n_seeds))


def grouped(rows, *keys):
    """Rows by the values of some columns, in the order of their first ones."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups


def ranged(rows, key):
    """The median of a column, and its range."""
    values = [float(row[key]) for row in rows]
    return f"{median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


# ---------------------------------------------------------------- depth
def deep(n_layers, solver, n_passes, seed=0):
    """Adding after 50 rows by a stack of LSTM, and its memory before and after training."""
    rng, name = np.random.default_rng(seed), type(solver).__name__
    training, new = adding(N_DEEP, DEEP, rng), adding(N_NEW, DEEP, rng)
    some = Sequences(*(part[new.labels < N_PROFILED] for part in new))
    settings = {"hidden_layer_sizes": (8,) * n_layers, "chrono_t_max": DEEP, "random_state": seed}
    model = begun(LSTMRegressor, training, DEEP, **settings)
    before = profiled(model, some)
    start = time.process_time()
    fitted(model.set_params(solver=solver, max_iter=n_passes), training)
    return {
        "layers": str(n_layers),
        "solver": name,
        "passes": str(model.n_iter_),
        "seconds": f"{time.process_time() - start:.1f}",
        "loss": f"{model.loss_:.5f}",
        "wrong": str(n_wrong(model, new, TASKS["adding"].wrong)),
        "of": str(N_NEW),
        **{f"{key}_before": figure for key, figure in before.items()},
        **{f"{key}_after": figure for key, figure in profiled(model, some).items()},
    }


def profiled(model, sequences):
    """Sizes of the derivatives by the numbers: of the newest, and the largest with its lag."""
    sizes = memory_profile(model, *sequences).norms.iloc[:, 0]
    figures = {"newest": f"{sizes.iloc[0]:.2g}", "largest": f"{sizes.max():.2g}"}
    return {**figures, "lag": str(sizes.idxmax())}


class DepthSuite:
    """Stacks of LSTM, with the verbs of `report.Suite`."""

    title = "Adding after 50 rows by stacks of LSTM, derivatives before and after training"
    packages = ()

    def rows(self, quick, announce):
        """One dict per depth and solver."""
        for n_layers in (1, 2, 4):
            adam = Adam(batch_size=50, max_grad_norm=1.0, schedule="cosine")
            for solver, passes in ((IRpropPlus(), 200), (adam, 60)):
                announce(f"{n_layers} layers by {type(solver).__name__}")
                yield deep(n_layers, solver, passes // 10 if quick else passes)

    def table(self, rows):
        """One line per depth and solver."""
        table = Table(title=self.title)
        for heading in rows[0]:
            table.add_column(heading.replace("_", " "), justify="right")
        for row in rows:
            table.add_row(*row.values())
        return table


SUITE, DEPTH = LongMemorySuite(), DepthSuite()
