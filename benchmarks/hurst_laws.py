"""Simulate what R/S, DFA and the wavelet spectrum say of exact fractional Gaussian noise.

``python -m benchmarks.hurst_laws`` writes `narxkit/diagnostics/_hurst/simulated.py` anew, in about
twenty minutes: mean and standard deviation of each statistic for every length and every H of the
grid, which are the ground of its intervals.
"""

from functools import cache
from pathlib import Path

import numpy as np
from rich.console import Console
from threadpoolctl import threadpool_limits

from narxkit.diagnostics import make_fgn
from narxkit.diagnostics._hurst import scaling, simulated, wavelet

RUNS = {128: 2500, 256: 2500, 512: 2500, 1024: 2500, 4096: 1500, 16384: 800} | {
    65536: 400,
    262144: 400,
}
HURSTS = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
ORDERS = (1, 2, 3)
SEED = 20_000
BLOCK = 100  # series drawn together
PATH = Path(simulated.__file__)
HEAD = '''"""Mean and standard deviation of scaling statistics on exact fractional Gaussian noise.

Written by ``python -m benchmarks.hurst_laws``: {runs}
series of {sizes}
rows for each H, from seed {seed} on. Rows of a table are sizes, columns are values of H.
"""

'''


def statistics(x):
    """Every statistic of one series."""
    n, answers = len(x), {}
    scales = scaling.box_sizes("rs", n)
    answers["rs"] = scaling.line(scales, scaling.rescaled_ranges(x, scales))[0]
    scales = scaling.box_sizes("dfa", n)
    for order in ORDERS:
        fluctuations = scaling.detrended_fluctuations(x, scales, order)
        answers[f"dfa{order}"] = scaling.line(scales, fluctuations)[0]
    answers["wavelet"] = wavelet.wavelet_statistic(wavelet.wavelet_line(x)[2])
    return answers


def simulate(n, hurst, runs, seed):
    """Mean and standard deviation of each statistic over independent series."""
    rng, answers = np.random.RandomState(seed), []
    while len(answers) < runs:
        block = make_fgn(n, hurst, n_series=min(BLOCK, runs - len(answers)), random_state=rng)
        answers += map(statistics, block)
    columns = {name: [answer[name] for answer in answers] for name in answers[0]}
    return {name: (np.mean(column), np.std(column)) for name, column in columns.items()}


def tables(announce):
    """MEANS and STDS: name of a statistic to an array of shape (sizes, values of H)."""
    scaling.polynomials = cache(scaling.polynomials)
    cells = []
    for i, (n, runs) in enumerate(RUNS.items()):
        for j, hurst in enumerate(HURSTS):
            announce(f"{n} rows, H = {hurst}")
            cells.append(simulate(n, hurst, runs, SEED + i * len(HURSTS) + j))
    shape = len(RUNS), len(HURSTS)
    return [
        {name: np.array([cell[name][which] for cell in cells]).reshape(shape) for name in cells[0]}
        for which in (0, 1)
    ]


def module(means, stds):
    """The file, as text."""
    listed = [", ".join(f"{value:,}" for value in values) for values in (RUNS.values(), RUNS)]
    lines = [HEAD.format(runs=listed[0], sizes=listed[1], seed=SEED)]
    lines += [f"SIZES = {tuple(RUNS)}\n", f"HURSTS = {HURSTS}\n", "# fmt: off\n"]
    for name, table in {"MEANS": means, "STDS": stds}.items():
        lines.append(f"{name} = {{\n")
        for statistic, rows in table.items():
            lines.append(f'    "{statistic}": (\n')
            lines += [f"        ({', '.join(f'{v:.4f}' for v in row)}),\n" for row in rows]
            lines.append("    ),\n")
        lines.append("}\n")
    return "".join(lines)


if __name__ == "__main__":
    console = Console()
    with threadpool_limits(1):
        PATH.write_text(module(*tables(console.print)))
