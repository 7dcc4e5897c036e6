"""Recurrent networks that read both ways: layers of cells over known stretches of rows.

A stretch is a run of rows with all their inputs. Each layer has cells that read it from its first
row on and cells that read it from its last row back, and the layer above reads both (Schuster and
Paliwal 1997, "Bidirectional recurrent neural networks", IEEE Transactions on Signal Processing 45,
2673-2681). No output is fed back, for those of later rows are not known; so a row has no forecast,
and what is read in place of a history is said by the rollouts:

- measured outputs, row by row: the whole segment of the row, once for all its rows;
- own outputs, in runs of rows: each run, and `window` rows before and after it as far as the
  segment goes. A run over a whole segment is the same as its rows one by one.

Rows that lack an input are no part of a stretch: they end one and are not predicted.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from narxkit import _recurrent
from narxkit._blas import one_blas_thread
from narxkit._stored import stored
from narxkit.networks.cells import NEVER, NUMBERS_AT_ONCE, CellLayers
from narxkit.networks.taps import Taps
from narxkit.rows.reach import Reach

WAYS = slice(None), slice(None, None, -1)  # the steps as cells read them: forwards, backwards


@dataclass(frozen=True, eq=False)
class Stretches:
    """Runs of rows that are read together, and the places of steps of rollouts among them.

    Attributes
    ----------
    rows : ndarray of int of shape (n_rows,)
        The rows that are read, stretch after stretch; those that stretches share more than once.
    begins, lengths : ndarray of int of shape (n,)
        Where each stretch begins among `rows`, and its rows.
    owners : ndarray of int of shape (n,)
        A rollout that each is read for.
    places : ndarray of int of shape (n_rollouts, n_steps)
        The place of each step among `rows`; -1 for one that is in no stretch.
    """

    rows: np.ndarray
    begins: np.ndarray
    lengths: np.ndarray
    owners: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, rollouts, reach, window):
        """Find what is read for some rollouts."""
        firsts, stops, owners, spans = _spans(rollouts, window)
        # all rows of the spans, span after span
        at = np.concatenate(([0], np.cumsum(stops - firsts)))
        span = np.repeat(np.arange(len(firsts)), stops - firsts)
        rows = np.arange(at[-1]) + (firsts - at[:-1])[span]
        is_read = rollouts.segments.known_inputs(reach)[rows]
        place = np.where(is_read, np.cumsum(is_read) - 1, -1)
        steps = (at[spans] + rollouts.origins - firsts[spans])[:, None]
        steps = (steps + np.arange(rollouts.n_steps))[rollouts.is_step]
        places = np.full(rollouts.is_step.shape, -1)
        places[rollouts.is_step] = place[steps]
        # and of them those that are read; where one is left out, or a span ends, a stretch does
        rows, span = rows[is_read], span[is_read]
        begins = np.flatnonzero((np.diff(rows, prepend=-2) != 1) | np.diff(span, prepend=-1))
        lengths = np.diff(begins, append=len(rows))
        return cls(rows, begins, lengths, owners[span[begins]], places)

    def batches(self, n_numbers):
        """Yield some of the stretches after others, of like lengths, with so many numbers a row."""
        order = np.argsort(self.lengths, kind="stable")
        while len(order):
            # of the first ones, as long as the last of them
            sizes = self.lengths[order] * np.arange(1, len(order) + 1) * n_numbers
            n = max(1, np.searchsorted(sizes, NUMBERS_AT_ONCE, side="right"))
            yield order[:n]
            order = order[n:]


@dataclass(frozen=True, eq=False)
class Batch:
    """Stretches laid out side by side, (n, n_steps) with the longest of them.

    Attributes
    ----------
    lengths : ndarray of int of shape (n,)
        Rows of each.
    places : ndarray of int of shape (n, n_steps)
        Where they stand among all rows that are read.
    is_row : ndarray of bool of shape (n, n_steps)
        What belongs to a stretch.
    x : ndarray of shape (n, n_steps, n_taps)
        Their taps.
    """

    lengths: np.ndarray
    places: np.ndarray
    is_row: np.ndarray
    x: np.ndarray

    @classmethod
    def of(cls, stretches, which, lagged):
        """Lay out some of the stretches."""
        lengths = stretches.lengths[which]
        step = np.arange(lengths.max())
        is_row = step < lengths[:, None]
        places = stretches.begins[which, None] + np.where(is_row, step, 0)
        return cls(lengths, places, is_row, lagged[stretches.rows[places]])

    def windows(self, plan, x, way):
        """Show the kernels what a layer reads, in one direction."""
        x, n_steps = np.ascontiguousarray(x[:, WAYS[way]]), x.shape[1]
        # read backwards a short stretch stands at the end, so that steps stay beside their rows
        begins, ends = (n_steps - self.lengths, None) if way else (None, self.lengths)
        return _recurrent.Windows(plan, x, begins=begins, ends=ends)


@stored
@dataclass(frozen=True)
class BidirectionalNetwork(CellLayers):
    """Structure of a recurrent network that reads stretches of inputs both ways.

    .. math::

        \\overrightarrow{h}_t = \\mathrm{cell}(z_t, \\overrightarrow{h}_{t-1}), \\qquad
        \\overleftarrow{h}_t = \\mathrm{cell}'(z_t, \\overleftarrow{h}_{t+1}), \\qquad
        \\hat y_t = [\\overrightarrow{h}_t, \\overleftarrow{h}_t] V + b + z_t U

    from states of zero at both ends of a stretch. The layers of its weights are those that read
    forwards and backwards by turns.

    Parameters
    ----------
    taps : Taps
        The lagged vector z, of inputs alone.
    cell : {"lstm", "gru", "tanh", "relu"}
        The kind of cell.
    hidden_layer_sizes : tuple of int
        Units of each layer in each direction; each layer reads both directions of the one below.
    window : int
        Rows before and after a run of rows that are read with it.
    linear_term : bool
        Whether there is a direct path U from the taps to the outputs.
    peepholes : bool
        Whether the gates of an LSTM see its c.
    dropout : float
        Share of the units below the last layer that a training sequence does without.
    dtype : {"float64", "float32"}
        Precision of the layers; parameters and outputs are double.
    chrono_t_max : float or None
        The longest dependency, in steps, that gates begin open for; None for a bias of 1.

    Examples
    --------
    >>> from narxkit.networks import BidirectionalNetwork, make_taps
    >>> network = BidirectionalNetwork(make_taps(0, [], ["sun"]), "gru", (8,))
    >>> network.reach.history, network.reach.both_ways, network.n_params
    (0, True, 514)
    """

    taps: Taps
    cell: str = "lstm"
    hidden_layer_sizes: tuple[int, ...] = (16,)
    window: int = 24
    linear_term: bool = True
    peepholes: bool = False
    dropout: float = 0.0
    dtype: str = "float64"
    chrono_t_max: float | None = None

    @cached_property
    def reach(self):
        return Reach(inputs=self.taps.reach.inputs, both_ways=True)

    @cached_property
    def plans(self):
        """The layers as the kernels know them: one plan for both directions."""
        below, plans = self.taps.n_taps, []
        for H in self.hidden_layer_sizes:
            plans.append(
                _recurrent.CellPlan(self.cell, below, (H,), H, False, self.peepholes, (), False)
            )
            below = 2 * H
        return plans

    @cached_property
    def parts(self):
        """Blocks of the parameters: name, layer or -1, offset, shape."""
        blocks = [
            (name, 2 * i + way, shape)
            for i, plan in enumerate(self.plans)
            for way in (0, 1)
            for name, _, _, shape in plan.parts
        ]
        m, p = self.taps.n_taps, self.n_outputs
        blocks += [("outward", -1, (2 * self.hidden_layer_sizes[-1], p)), ("intercept", -1, (p,))]
        blocks += [("straight", -1, (m, p))] if self.linear_term else []
        ends = np.cumsum([np.prod(shape, dtype=int) for *_, shape in blocks])
        begins = [0, *ends.tolist()]
        return tuple((name, layer, at, shape) for (name, layer, shape), at in zip(blocks, begins))

    @property
    def n_params(self):
        _, _, at, shape = self.parts[-1]
        return at + int(np.prod(shape))

    @cached_property
    def n_masks(self):
        """Units that dropout may leave out: those of both directions below the last layer."""
        return 2 * sum(self.hidden_layer_sizes[:-1])

    # ------------------------------------------------------------ the face of the kernels
    def rollout(self, theta, rollouts):
        stretches = Stretches.of(rollouts, self.reach, self.window)
        # the last one stands for steps that are in no stretch
        values = np.full((len(stretches.rows) + 1, self.n_outputs), np.nan)
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            for _, batch in self._batches(stretches, rollouts.segments):
                y_hat, _ = self._predict(theta, batch, stretches, rollouts.segments, NEVER)
                values[batch.places[batch.is_row]] = y_hat[batch.is_row]
        values[_is_bad(values).any(axis=1)] = np.nan
        y_hat = values[stretches.places]
        bad = np.full(len(rollouts), -1)
        i, step = np.nonzero(np.isnan(y_hat).any(axis=2) & rollouts.is_step)
        bad[i[::-1]] = step[::-1]  # the first bad step of each is the last one written
        return y_hat, bad

    def sse(self, thetas, rollouts, stop):
        return np.array([self._errors(theta, rollouts, stop) for theta in thetas])

    def gradient(self, theta, rollouts, stop, masks=None):
        Jte = np.zeros(self.n_params)
        return self._errors(theta, rollouts, stop, Jte, masks), Jte

    def _errors(self, theta, rollouts, stop, Jte=None, masks=None):
        """Sum the squared errors; add half their gradient, where it is wanted."""
        segments, sse = rollouts.segments, 0.0
        stretches = Stretches.of(rollouts, self.reach, self.window)
        weight = _weights(stretches, rollouts)
        with np.errstate(over="ignore", invalid="ignore"):  # a diverged loss is an answer
            for which, batch in self._batches(stretches, segments):
                own = None if masks is None else masks[stretches.owners[which]]
                y_hat, kept = self._predict(theta, batch, stretches, segments, stop, own)
                # each row once, though the layout repeats the first one behind a stretch
                w = np.where(batch.is_row, weight[batch.places], 0.0)[:, :, None]
                y = segments.y[stretches.rows[batch.places]]
                counts = (w > 0.0) & np.isfinite(y)
                e = np.where(counts, y_hat - y, 0.0)
                sse += np.sum(w * e**2) if not (counts & _is_bad(y_hat)).any() else np.inf
                if Jte is not None and np.isfinite(sse):
                    self._send_back(theta, batch, kept, w * e, stop, Jte, own)
        return np.nan if stop[0] else float(sse)

    def _batches(self, stretches, segments):
        """Yield stretches, and how they are laid out."""
        lagged = segments.lagged(self.taps, self.dtype)
        n_numbers = self.taps.n_taps + 2 * sum(self.hidden_layer_sizes)
        for which in stretches.batches(n_numbers):
            yield which, Batch.of(stretches, which, lagged)

    def _predict(self, theta, batch, stretches, segments, stop, masks=None):
        """Return the outputs of a batch, and what their slopes need: inputs of layers, clipping."""
        read, weights = [batch.x], self.unpack(theta)
        for i, (plan, ways) in enumerate(self._layers(theta)):
            h = _run(plan, ways, batch, read[-1], stop)
            read.append(self._masked(h, i, masks))
        y_hat = _times(read[-1], weights.outward) + weights.intercept
        if weights.straight is not None:
            y_hat += _times(batch.x, weights.straight)
        if segments.low is None:
            return y_hat, (read, True)
        rows = stretches.rows[batch.places]
        low, high = segments.low[rows], segments.high[rows]
        is_free = ~((y_hat < low) | (y_hat > high))  # NaN is no bound
        return np.where(is_free, y_hat, np.where(y_hat < low, low, high)), (read, is_free)

    def _send_back(self, theta, batch, kept, d, stop, Jte, masks):
        """Add half the gradient, given half the slopes of the squared errors by the outputs."""
        (read, is_free), by = kept, self.unpack(Jte)
        d = np.where(is_free, d, 0.0)
        by.intercept[:] += d.sum(axis=(0, 1))
        d, over_rows = d.astype(self.dtype), ((0, 1), (0, 1))
        by.outward[:] += np.tensordot(read[-1], d, over_rows)
        if by.straight is not None:
            by.straight[:] += np.tensordot(batch.x, d, over_rows)
        d = _times(d, self.unpack(theta).outward.T)
        layers = zip(self._layers(theta), self._layers(Jte), read)
        for i, ((plan, ways), (_, slopes), x) in reversed(list(enumerate(layers))):
            d = self._masked(d, i, masks)
            d = _unwind(plan, ways, batch, x, d, stop, slopes, wants_x=i > 0)

    def _layers(self, theta):
        """Return of each layer its plan, and the parameters of both directions as views."""
        layers, at = [], 0
        for plan in self.plans:
            n = plan.n_params
            layers.append((plan, (theta[at : at + n], theta[at + n : at + 2 * n])))
            at += 2 * n
        return layers

    def _masked(self, values, layer, masks):
        """Multiply what both directions of a layer give, or its slopes, by their masks."""
        is_last = layer == len(self.plans) - 1
        if masks is None or is_last:
            return values
        at = 2 * sum(self.hidden_layer_sizes[:layer])
        chosen = masks[:, None, at : at + 2 * self.hidden_layer_sizes[layer]]
        return values * chosen.astype(self.dtype)


def _spans(rollouts, window):
    """Return the first row of each span that is read, the one behind it, a rollout that it is for,
    and the span of each rollout."""
    segments, origins = rollouts.segments, rollouts.origins
    firsts, stops = segments.starts_of(origins), segments.stops[origins]
    if rollouts.is_measured:  # a segment is read once for all its rows
        firsts, owners, spans = np.unique(firsts, return_index=True, return_inverse=True)
        return firsts, stops[owners], owners, spans
    firsts = np.maximum(firsts, origins - window)
    stops = np.minimum(stops, origins + rollouts.lengths + window)
    alone = np.arange(len(origins))
    return firsts, stops, alone, alone


def _times(values, weights):
    """Multiply the rows of all stretches at once, in their precision."""
    product = values.reshape(-1, len(weights)) @ weights.astype(values.dtype)
    return product.reshape(*values.shape[:2], -1)


def _run(plan, ways, batch, x, stop):
    """Return the states (n, n_steps, 2 H) that a layer gives in both directions, 0 outside."""
    (n, n_steps, _), H = x.shape, plan.args[3]
    bad, end = np.empty(n, dtype=np.intp), np.empty((n, plan.n_state), x.dtype)
    states, h = np.empty((n, n_steps, 2 * H), x.dtype), np.zeros((n, n_steps, H), x.dtype)
    for way, theta in enumerate(ways):
        _recurrent.run(plan, theta, batch.windows(plan, x, way), stop, h, bad, end)
        states[:, :, way * H : (way + 1) * H] = h[:, WAYS[way]]
    states[~batch.is_row] = 0.0  # NaN, which no weight of 0 would take away
    return states


def _unwind(plan, ways, batch, x, d, stop, slopes, wants_x):
    """Return slopes by what a layer reads, given those by its states; add those by its weights."""
    by_x, g = np.zeros_like(x) if wants_x else None, np.empty(plan.n_params)
    dx = np.empty_like(x) if wants_x else None
    for way, (theta, adjoint) in enumerate(zip(ways, np.split(d, 2, axis=2))):
        adjoint, windows = np.ascontiguousarray(adjoint[:, WAYS[way]]), batch.windows(plan, x, way)
        _recurrent.gradient(plan, theta, windows, stop, g, dx=dx, adjoint=adjoint)
        slopes[way][:] += g
        if wants_x:
            by_x += dx[:, WAYS[way]]
    return by_x


def _weights(stretches, rollouts):
    """Return the weight of each row that is read: that of the steps behind the washout."""
    counts = rollouts.is_step & (np.arange(rollouts.n_steps) >= rollouts.washout)
    counts &= stretches.places >= 0
    weights = rollouts.row_weights[rollouts.rows[counts]]
    return np.bincount(stretches.places[counts], weights, minlength=len(stretches.rows))


def _is_bad(y_hat):
    """Tell which outputs are not finite or leave all bounds."""
    return ~(np.abs(y_hat) <= _recurrent.DIVERGED)
