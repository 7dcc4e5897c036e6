"""The contract of networks: what training, rollouts and diagnostics ask of any of them."""

from abc import ABC, abstractmethod
from dataclasses import asdict
from functools import cached_property

import numpy as np

GLOROT = 6.0  # of the square of the bound of uniform weights, over the sum of both widths
LONG = 1000  # steps over which the gain of a loop is measured


class Structure(ABC):
    """The meaning of a flat parameter vector: its parts, and the rows that a prediction reads.

    Examples
    --------
    >>> from narxkit.networks.base import Network, Structure
    >>> issubclass(Network, Structure)
    True
    """

    holds_linear_model = False
    can_bend = True
    takes_shocks = False

    # beside these a network has `taps`, the lagged vector, and `hidden_layer_sizes`

    @property
    @abstractmethod
    def reach(self):
        """The rows and columns that a prediction reads."""

    @property
    @abstractmethod
    def n_outputs(self):
        """Number of outputs."""

    @property
    @abstractmethod
    def n_params(self):
        """Length of the parameter vector."""

    @abstractmethod
    def unpack(self, theta):
        """Name the parts of a parameter vector.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.

        Returns
        -------
        NamedTuple
            Views: writing to them writes to `theta`. ``straight`` are the weights from the taps
            straight to the outputs, (n_taps, n_outputs), or None; ``intercepts`` a list of what no
            penalty is for, among them ``intercept``, that of the outputs.
        """

    @abstractmethod
    def describe(self):
        """Name what makes two networks differ.

        Returns
        -------
        dict
            Plain data by name.
        """

    @cached_property
    def groups(self):
        """Masks over the parameters: ``"weights"``, ``"intercepts"`` and ``"linear"``.

        Weights that lead from the taps straight to the outputs are "linear", with hidden layers
        beside them and without.
        """
        # names in the place of numbers: unpack gives views of them as well
        name = np.full(self.n_params, "weights", dtype="<U10")
        weights = self.unpack(name)
        for intercepts in weights.intercepts:
            intercepts[:] = "intercepts"
        if weights.straight is not None:
            weights.straight[:] = "linear"
        return {group: name == group for group in ("weights", "intercepts", "linear")}


class OverTaps(Structure):
    """A structure over lagged values alone, without a memory of its own; a dataclass with `taps`.

    Examples
    --------
    >>> from narxkit.networks import TappedMLP
    >>> from narxkit.networks.base import OverTaps
    >>> issubclass(TappedMLP, OverTaps)
    True
    """

    @property
    def takes_shocks(self):
        """Whether outputs are fed back, and shocks with them."""
        return bool(self.taps.output_lags)

    @property
    def reach(self):
        return self.taps.reach

    @property
    def n_outputs(self):
        return self.taps.n_outputs

    def describe(self):
        parts = asdict(self)
        return {**parts.pop("taps"), **parts}


class Network(Structure):
    """An immutable structure that explains a flat parameter vector, with its kernels.

    A network predicts a row from its taps and, where it has a memory, from the rows of its window:
    measured ones before the origin of a rollout, and from there on its own output where the source
    is "own". Its state at an origin follows from these rows alone, so that rows are the state.

    See Also
    --------
    narxkit.networks.TappedMLP : A static network over lagged values.

    Notes
    -----
    What some networks cannot do is not asked of all, and an objective has these verbs where its
    network does: ``normal_equations(theta, rollouts, stop)``, ``residuals_and_jacobian(theta,
    rollouts)`` and ``gain(theta, rollouts)``, as in :class:`TappedMLP`. With a linear path from the
    taps to the outputs (`holds_linear_model`) there is ``with_linear(theta, linear)``, and
    `linear_feedback` has the share of their noise that its weights of fed-back outputs pass, and 0
    elsewhere. Where a network `takes_shocks`, ``rollout(theta, rollouts, shocks)`` adds an array
    (n, n_steps, n_outputs) to its outputs, before they are clipped and fed back. ``groups`` are
    masks over the parameters; one of them is called "weights", which the penalty is for. A search
    for it begins at `first_strength`, in units of the error variance.

    Examples
    --------
    >>> from narxkit.networks import Network, TappedMLP
    >>> issubclass(TappedMLP, Network)
    True
    """

    first_strength = 10.0

    @cached_property
    def linear_feedback(self):
        """Share of the noise of fed-back outputs that passes each weight straight to the outputs.

        1 for the weight of an output, 1 / k for that of a mean over k rows, 0 for all others.
        """
        share = np.zeros(self.n_params)
        if self.holds_linear_model:
            spans = self.taps.output_spans
            self.unpack(share).straight[: len(spans)] = 1.0 / spans[:, None]
        return share

    # ------------------------------------------------------------ where training begins
    @abstractmethod
    def initial(self, rng):
        """Draw starting parameters.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray of shape (n_params,)
            Parameters.
        """

    @abstractmethod
    def linear_part(self):
        """Take the linear model of the same taps.

        Returns
        -------
        TappedMLP
            A network without hidden layers.
        """

    def with_linear(self, theta, linear):
        """Put the linear model of the same taps in the place of the linear term.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters of a network that holds a linear model.
        linear : ndarray
            Parameters of ``linear_part()``.

        Returns
        -------
        ndarray of shape (n_params,)
            A copy, which predicts what the linear model does where hidden layers have no weight at
            the outputs.
        """
        theta, given = theta.copy(), self.linear_part().unpack(linear)
        weights = self.unpack(theta)
        weights.straight[:], weights.intercept[:] = given.straight, given.intercept
        return theta

    @abstractmethod
    def is_linear(self, theta):
        """Tell whether nothing passes the hidden layers.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.

        Returns
        -------
        bool
            Whether they have no weight at the outputs.
        """

    @abstractmethod
    def revive(self, theta, start):
        """Give hidden units back to a network that has lost them.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        start : ndarray of shape (n_params,)
            Those that training began with.

        Returns
        -------
        ndarray of shape (n_params,)
            `theta` where something passes the hidden layers.
        """

    # ------------------------------------------------------------ the face of the kernels
    @abstractmethod
    def rollout(self, theta, rollouts):
        """Run trajectories.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        rollouts : Rollouts
            Where they start, and what they read.

        Returns
        -------
        y_hat : ndarray of shape (n, n_steps, n_outputs)
            Predictions, NaN after a trajectory's length and from its first bad step on; from
            measured outputs, or without feedback, in bad steps alone.
        bad : ndarray of shape (n,)
            First step that is not finite or leaves 1000 standard deviations, -1 where there is
            none.
        """

    @abstractmethod
    def sse(self, thetas, rollouts, stop):
        """Sum the squared errors of many parameter vectors.

        Parameters
        ----------
        thetas : ndarray of shape (k, n_params)
            One parameter vector in each row.
        rollouts : Rollouts
            What is predicted.
        stop : ndarray of int32 of shape (1,)
            Return early once it is set.

        Returns
        -------
        ndarray of shape (k,)
            Sums, infinite where a rollout diverges, NaN when stopped.
        """

    @abstractmethod
    def gradient(self, theta, rollouts, stop):
        """Sum the squared errors, and half their gradient.

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
        sse : float
            Sum, infinite where a rollout diverges, NaN when stopped.
        Jte : ndarray of shape (n_params,)
            J'e.
        """


def glorot(shape):
    """Return the bound of uniform weights between layers of these widths.

    Examples
    --------
    >>> float(glorot((2, 4)))
    1.0
    """
    return np.sqrt(GLOROT / max(sum(shape), 1))
