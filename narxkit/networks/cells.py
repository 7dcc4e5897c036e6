"""Recurrent networks: layers of LSTM, GRU or Elman cells that read taps."""

from abc import abstractmethod
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from sklearn.utils.metaestimators import available_if

from narxkit import _recurrent
from narxkit._blas import one_blas_thread
from narxkit._stored import stored
from narxkit.networks.base import Network, glorot
from narxkit.networks.tapped_mlp import DEAD, shared_mlp
from narxkit.networks.taps import Taps
from narxkit.rows.reach import Reach

CELLS = tuple(_recurrent.CELLS)
NUMBERS_AT_ONCE = 2**22  # of the taps of windows that are run together: derivatives of 32 MB
KEPT = {"lstm": 1, "gru": 2}  # the gate that keeps the state, among the biases of a cell
LETS_IN = {"lstm": 0}  # the gate that lets in what is new, where that is another one


class CellWeights(NamedTuple):
    """Views of a parameter vector.

    Parameters
    ----------
    layers : list of dict
        For each layer ``"recurrent"`` (H, gates H), ``"bias"`` (gates H,), ``"inward"`` (below,
        gates H) and, of an LSTM with peepholes, ``"peepholes"`` (3, H).
    outward : ndarray of shape (H, n_outputs)
        Weights V of the last layer at the outputs.
    intercept : ndarray of shape (n_outputs,)
        The intercepts b.
    straight : ndarray of shape (n_taps, n_outputs) or None
        Weights U of the taps at the outputs.
    state : ndarray of shape (n_state,) or None
        The state that windows begin with, where it is trained.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.networks import CellNetwork, make_taps
    >>> network = CellNetwork(make_taps(0, 1, ["u"]), "lstm", (3,))
    >>> network.unpack(np.zeros(network.n_params)).layers[0]["recurrent"].shape
    (3, 12)
    """

    layers: list
    outward: np.ndarray
    intercept: np.ndarray
    straight: np.ndarray | None
    state: np.ndarray | None

    @property
    def intercepts(self):
        """Biases, intercepts and a trained state: what no penalty is for."""
        state = [] if self.state is None else [self.state]
        return [*(layer["bias"] for layer in self.layers), self.intercept, *state]


class CellLayers(Network):
    """Base of networks of cells, whichever way they read: layers below weights at the outputs.

    See Also
    --------
    CellNetwork : Cells that read forwards.
    BidirectionalNetwork : Cells that read both ways.

    Examples
    --------
    >>> from narxkit.networks import CellLayers, CellNetwork
    >>> issubclass(CellNetwork, CellLayers)
    True
    """

    trains_state = False
    first_strength = 1000.0  # the weights of a state act at every row of a window

    # beside the fields of both a network has `parts`, blocks of theta as (name, layer, offset,
    # shape) with the layer -1 for the head, and `n_masks`, the units that dropout may leave out

    @property
    def n_outputs(self):
        return self.taps.n_outputs

    @property
    def holds_linear_model(self):
        """Whether there is a path from the taps straight to the outputs."""
        return self.linear_term

    def unpack(self, theta):
        """Return weights by name, as views of a parameter vector.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.

        Returns
        -------
        CellWeights
            Writing to them writes to `theta`.
        """
        layers, rest = {}, {"straight": None, "state": None}
        for name, layer, at, shape in self.parts:
            into = rest if layer < 0 else layers.setdefault(layer, {})
            into[name] = theta[at : at + int(np.prod(shape))].reshape(shape)
        return CellWeights(list(layers.values()), **rest)

    def describe(self):
        # of both kinds, so that one is told from the other
        kind = {"bidirectional": self.reach.both_ways, "trains_state": self.trains_state}
        parts = asdict(self)
        return {**kind, **parts.pop("taps"), **parts}

    # ------------------------------------------------------------ where training begins
    def initial(self, rng):
        """Draw random starting parameters.

        The recurrent matrix of each gate is orthogonal (Saxe, McClelland and Ganguli 2014), other
        weights are uniform within :math:`\\pm\\sqrt{6 / (n_{in} + n_{out})}` (Glorot and Bengio
        2010). The gate that keeps the state begins open, with a bias of 1 (Gers, Schmidhuber and
        Cummins 2000) or, with `chrono_t_max`, for times of the order of uniform draws between 1 and
        ``chrono_t_max - 1`` steps: with a bias of their logarithm, and the input gate of an LSTM
        with minus that (Tallec and Ollivier 2018). Beside a linear term the weights at the outputs
        begin at zero, so that training starts from what the linear term alone achieves.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray of shape (n_params,)
            Parameters.
        """
        theta = np.zeros(self.n_params)
        weights = self.unpack(theta)
        for layer in weights.layers:
            H = len(layer["recurrent"])
            for gate in np.split(layer["recurrent"], layer["recurrent"].shape[1] // H, axis=1):
                gate[:] = _orthogonal(H, rng)
            for gate in np.split(layer["inward"], layer["inward"].shape[1] // H, axis=1):
                gate[:] = _uniform(gate.shape, rng)
        if not self.linear_term:
            weights.outward[:] = _uniform(weights.outward.shape, rng)
        if self.cell in KEPT:
            for layer in weights.layers:  # after the weights, which are the same whatever is drawn
                self._open_gates(layer["bias"].reshape(-1, len(layer["recurrent"])), rng)
        return theta

    def _open_gates(self, biases, rng):
        """Set where the gates of a layer begin, a row of biases for each."""
        kept, n_units = KEPT[self.cell], biases.shape[1]
        if self.chrono_t_max is None:
            biases[kept] = 1.0
            return
        biases[kept] = np.log(rng.uniform(1.0, self.chrono_t_max - 1.0, n_units))
        if self.cell in LETS_IN:
            biases[LETS_IN[self.cell]] = -biases[kept]  # what is kept for long comes in slowly

    def is_linear(self, theta):
        return np.abs(self.unpack(theta).outward).max(initial=0.0) <= DEAD

    def linear_part(self):
        return shared_mlp(self.taps, (), "tanh", False)

    def revive(self, theta, start):
        if not self.is_linear(theta):
            return theta
        return np.where(self._of_layers, start, theta)

    @cached_property
    def _of_layers(self):
        """The parameters of the hidden layers, as a mask."""
        mask = np.zeros(self.n_params, dtype=bool)
        for layer in self.unpack(mask).layers:
            for part in layer.values():
                part[:] = True
        return mask

    def draw_masks(self, n, rng):
        """Draw the masks of dropout, one for each training sequence.

        Parameters
        ----------
        n : int
            Number of sequences.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray of shape (n, units below the last layer) or None
            0 for the units that a sequence does without, 1 / (1 - dropout) for the others.
        """
        if not self.dropout or not self.n_masks:
            return None
        stays = rng.random((n, self.n_masks)) >= self.dropout
        return stays / (1.0 - self.dropout)

    @abstractmethod
    def gradient(self, theta, rollouts, stop, masks=None):
        """Sum the squared errors, and half their gradient.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        rollouts : Rollouts
            What is predicted.
        stop : ndarray of int32 of shape (1,)
            Return early once it is set.
        masks : ndarray of shape (n, units below the last layer), optional
            Those of dropout.

        Returns
        -------
        sse : float
            Sum, infinite where a rollout diverges, NaN when stopped.
        Jte : ndarray of shape (n_params,)
            J'e.
        """


@stored
@dataclass(frozen=True)
class CellNetwork(CellLayers):
    """Structure of a recurrent network that reads taps.

    .. math::

        (h_t, c_t) = \\mathrm{cell}(z_t, h_{t-1}, c_{t-1}), \\qquad
        \\hat y_t = h_t V + b + z_t U

    Its state at an origin is what the rows of a window before it bring about, from zero or from
    a trained state on; where a segment has fewer rows, from its first one with a history. An
    output that is missing there is the network's own prediction of it.

    Parameters
    ----------
    taps : Taps
        The lagged vector z.
    cell : {"lstm", "gru", "tanh", "relu"}
        The kind of cell; the last two are those of Elman.
    hidden_layer_sizes : tuple of int
        Units of each layer, from below; each reads the state of the one below it.
    window : int
        Rows before the origin that bring about the state.
    linear_term : bool
        Whether there is a direct path U from the taps to the outputs.
    peepholes : bool
        Whether the gates of an LSTM see its c.
    trains_state : bool
        Whether the state that windows begin with is trained; zero otherwise.
    dropout : float
        Share of the units below the last layer that a training sequence does without.
    dtype : {"float64", "float32"}
        Precision of the kernels; parameters are double.
    chrono_t_max : float or None
        The longest dependency, in steps, that gates begin open for; None for a bias of 1.

    Examples
    --------
    >>> from narxkit.networks import CellNetwork, make_taps
    >>> network = CellNetwork(make_taps(0, 1, ["sun"]), "gru", (8,), window=24)
    >>> network.reach.history, network.reach.memory, network.n_params
    (1, 25, 283)
    """

    taps: Taps
    cell: str = "lstm"
    hidden_layer_sizes: tuple[int, ...] = (16,)
    window: int = 24
    linear_term: bool = True
    peepholes: bool = False
    trains_state: bool = False
    dropout: float = 0.0
    dtype: str = "float64"
    chrono_t_max: float | None = None

    @cached_property
    def reach(self):
        single = self.taps.reach
        return Reach(single.outputs, single.inputs, self.window)

    @cached_property
    def plan(self):
        """The structure as the kernels know it."""
        outputs = tuple((column, lag) for column, lag, _ in self.taps.outputs)
        sizes = self.taps.n_taps, self.hidden_layer_sizes, self.n_outputs
        return _recurrent.CellPlan(self.cell, *sizes, self.linear_term, self.peepholes, outputs)

    @property
    def n_state(self):
        """Numbers of a state."""
        return self.plan.n_state

    @property
    def n_params(self):
        return self.plan.n_params + (self.n_state if self.trains_state else 0)

    @property
    def parts(self):
        """Blocks of the parameters: name, layer or -1, offset, shape."""
        state = ("state", -1, self.plan.n_params, (self.n_state,))
        return (*self.plan.parts, state) if self.trains_state else self.plan.parts

    @property
    def n_masks(self):
        """Units that dropout may leave out."""
        return self.plan.n_masks

    # ------------------------------------------------------------ the face of the kernels
    def rollout(self, theta, rollouts):
        y_hat = np.full((*rollouts.is_step.shape, self.n_outputs), np.nan)
        bad = np.full(len(rollouts), -1)
        for part in self._parts(rollouts):
            values, bad[part], _ = self._run(theta, rollouts.part(part))
            y_hat[part, : values.shape[1]] = values  # a part has the steps of its own longest
        return y_hat, bad

    def observe(self, theta, rollouts):
        """Run the windows before some origins.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        rollouts : Rollouts
            Their origins.

        Returns
        -------
        ndarray of shape (n, n_state)
            The state at each origin.
        """
        state = np.empty((len(rollouts), self.n_state))
        # no steps of their own, so that the runs end with their windows
        before = rollouts.replace(lengths=np.zeros_like(rollouts.lengths))
        for part in self._parts(before):
            state[part] = self._run(theta, before.part(part))[2]
        return state

    def _run(self, theta, rollouts):
        """Run the windows and return outputs, bad steps from the origin on, and the last states."""
        windows = self._windows(theta, rollouts)
        n, n_steps = len(rollouts), rollouts.n_steps
        y_hat = np.empty((n, n_steps, self.n_outputs), self.dtype)
        bad, end = np.empty(n, dtype=np.intp), np.empty((n, self.n_state), self.dtype)
        with one_blas_thread():
            _recurrent.run(self.plan, self._cells(theta), windows, NEVER, y_hat, bad, end)
        # what goes bad within the window is bad from the first step on
        return y_hat, np.where(bad < 0, -1, np.maximum(bad - self._depth(rollouts), 0)), end

    def sse(self, thetas, rollouts, stop):
        sse = np.zeros(len(thetas))
        for part in self._parts(rollouts):
            some = rollouts.part(part)
            if self.trains_state:  # which each theta has of its own
                sse += [self._sse(theta[None], some, stop)[0] for theta in thetas]
            else:
                sse += self._sse(thetas, some, stop)
        return sse

    def _sse(self, thetas, rollouts, stop):
        """Sum the squared errors of parameter vectors that begin with one and the same state."""
        sse, cells = np.empty(len(thetas)), np.ascontiguousarray(thetas[:, : self.plan.n_params])
        windows = self._windows(thetas[0], rollouts, washout=rollouts.washout)
        _recurrent.sums_of_squares(self.plan, cells, windows, stop, sse)
        return sse

    def gradient(self, theta, rollouts, stop, masks=None):
        sse, Jte = 0.0, np.zeros(self.n_params)
        g, n_cells = np.empty(self.plan.n_params), self.plan.n_params
        for part in self._parts(rollouts):
            some = rollouts.part(part)
            of_part = None if masks is None else masks[part]
            windows = self._windows(theta, some, of_part, washout=some.washout)
            by_state = (
                np.empty((len(some), self.n_state), self.dtype) if self.trains_state else None
            )
            sse += _recurrent.gradient(
                self.plan, self._cells(theta), windows, stop, g, dstate=by_state
            )
            Jte[:n_cells] += g
            if by_state is not None:
                # all windows begin with the same state
                Jte[n_cells:] += by_state.sum(axis=0)
        return sse, Jte

    # an objective asks by hasattr: the kernel has no derivatives by the first state
    @available_if(lambda network: not network.trains_state)
    def normal_equations(self, theta, rollouts, stop):
        """Accumulate the normal equations, where windows begin with a state of zero.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        rollouts : Rollouts
            What is predicted.
        stop : ndarray of int32 of shape (1,)
            Return early once it is set.

        Returns
        -------
        JtJ : ndarray of shape (n_params, n_params)
            J'J, J the derivative of the weighted predictions, in double precision.
        Jte : ndarray of shape (n_params,)
            J'e.
        sse : float
            Sum of squared errors, infinite where a rollout diverges, NaN when stopped.
        """
        JtJ, Jte, sse = np.zeros((self.n_params,) * 2), np.zeros(self.n_params), 0.0
        JtJ_part, Jte_part = np.empty_like(JtJ), np.empty_like(Jte)
        for part in self._parts(rollouts):
            some = rollouts.part(part)
            windows = self._windows(theta, some, dtype=np.float64, washout=some.washout)
            sse += _recurrent.normal_equations(self.plan, theta, windows, stop, JtJ_part, Jte_part)
            JtJ += JtJ_part
            Jte += Jte_part
        return JtJ, Jte, sse

    @available_if(lambda network: not network.trains_state)
    def residuals_and_jacobian(self, theta, rollouts):
        """Weighted residuals and their whole Jacobian, output after output.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        rollouts : Rollouts
            What is predicted.

        Returns
        -------
        e : ndarray of shape (n * n_outputs,)
            Residuals of all steps, rollout after rollout.
        J : ndarray of shape (n * n_outputs, n_params)
            Jacobian.
        """
        es, Js = [], []
        for part in self._parts(rollouts):
            some = rollouts.part(part)
            first = min(some.washout, some.n_steps)
            e = np.empty((len(some), some.n_steps - first, self.n_outputs))
            J = np.empty((*e.shape, self.n_params))
            windows = self._windows(theta, some, dtype=np.float64, washout=first)
            _recurrent.residuals_and_jacobian(self.plan, theta, windows, NEVER, e, J)
            is_step = some.is_step[:, first:]
            es.append(e[is_step])
            Js.append(J[is_step])
        e, J = np.concatenate(es), np.concatenate(Js)
        return e.T.ravel(), J.swapaxes(0, 1).reshape(-1, self.n_params)

    def input_gradient(self, theta, rollouts, output=0):
        """Differentiate the last step of each rollout by what its taps read.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        rollouts : Rollouts
            Where they start and end.
        output : int, default=0
            Which output is differentiated.

        Returns
        -------
        ndarray of shape (n, steps, n_taps)
            By the taps of each step: those of the window, as far as a segment can hold it, and then
            the rollout's own.
        """
        depth = self._depth(rollouts)
        by_taps = np.zeros((len(rollouts), depth + rollouts.n_steps, self.taps.n_taps))
        g = np.empty(self.plan.n_params)
        for part in self._parts(rollouts):
            some = rollouts.part(part)
            adjoint = np.zeros((len(some), some.n_steps, self.n_outputs), self.dtype)
            # in the place of residuals: one output of each last step
            adjoint[np.arange(len(some)), some.lengths - 1, output] = 1.0
            before = self._depth(some)
            dx = np.empty((len(some), before + some.n_steps, self.taps.n_taps), self.dtype)
            windows = self._windows(theta, some)
            with one_blas_thread():
                _recurrent.gradient(
                    self.plan, self._cells(theta), windows, NEVER, g, dx=dx, adjoint=adjoint
                )
            by_taps[part, depth - before : depth + some.n_steps] = dx
        return by_taps

    def _cells(self, theta):
        """Return the parameters that the kernels know: all but a trained state."""
        return theta[: self.plan.n_params]

    def _depth(self, rollouts):
        """Return the most rows run before an origin: those of its window, as far as they go."""
        begins = rollouts.segments.window_begins(self.reach)[rollouts.origins]
        return max(0, int(np.max(rollouts.origins - begins, initial=0)))

    def _parts(self, rollouts):
        """Return slices of the rollouts whose windows are laid out together."""
        steps = self._depth(rollouts) + rollouts.n_steps
        size = max(1, NUMBERS_AT_ONCE // max(steps * self.taps.n_taps, 1))
        return [slice(i, i + size) for i in range(0, len(rollouts), size)]

    def _windows(self, theta, rollouts, masks=None, dtype=None, washout=0):
        """Lay each rollout behind its window, as the kernels read them: rows of tables, not copied.

        Outputs are wanted from the origin on, or behind a washout.
        """
        segments, n, depth = rollouts.segments, len(rollouts), self._depth(rollouts)
        starts = rollouts.origins - depth
        begins = segments.window_begins(self.reach)[rollouts.origins] - starts
        steps = depth + rollouts.n_steps
        dtype = self.dtype if dtype is None else dtype
        tables = {
            "y": segments.y,
            "weight": rollouts.row_weights,
            "low": segments.low,
            "high": segments.high,
        }
        numbers = {"state": self._first_states(theta, n), "masks": masks}
        return _recurrent.Windows(
            self.plan,
            begins=np.minimum(begins, depth),  # a window that cannot begin has no row
            ends=depth + rollouts.lengths,
            first=min(depth + washout, steps),
            own=self._own(rollouts, starts, depth),
            starts=starts,
            steps=steps,
            x=segments.lagged(self.taps, dtype),
            **{k: segments.in_precision(v, dtype) for k, v in tables.items()},
            **{k: None if v is None else v.astype(dtype, copy=False) for k, v in numbers.items()},
        )

    def _own(self, rollouts, starts, depth):
        """Mark outputs that later steps read as the network's own; None if all are measured."""
        is_missing, steps = rollouts.segments.is_missing, depth + rollouts.n_steps
        if not self.taps.outputs or rollouts.is_measured and not is_missing.any():
            return None
        own = np.zeros((len(starts), steps, self.n_outputs), dtype=np.uint8)
        if is_missing.any():
            own |= is_missing[np.clip(starts[:, None] + np.arange(steps), 0, len(is_missing) - 1)]
        if not rollouts.is_measured:
            own[:, depth:] = 1
        return own

    def _first_states(self, theta, n):
        """Return the trained state that n windows begin with; None for zero."""
        return np.tile(theta[self.plan.n_params :], (n, 1)) if self.trains_state else None


NEVER = np.zeros(1, dtype=np.int32)  # the flag of calls that nobody stops
NEVER.flags.writeable = False


def _orthogonal(n, rng):
    """Return a random orthogonal matrix."""
    Q, R = np.linalg.qr(rng.normal(size=(n, n)))
    # with these signs all orthogonal matrices are equally likely; QR alone prefers some
    return Q * np.sign(np.diag(R))


def _uniform(shape, rng):
    bound = glorot(shape)
    return rng.uniform(-bound, bound, shape)
