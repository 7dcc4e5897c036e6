"""The contract of networks: what training, rollouts and diagnostics ask of any of them."""

from abc import ABC, abstractmethod

LONG = 1000  # steps over which the gain of a loop is measured


class Network(ABC):
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
    elsewhere. ``groups`` are masks over the parameters; one of them is called "weights", which the
    penalty is for.

    Examples
    --------
    >>> from narxkit.networks import Network, TappedMLP
    >>> issubclass(TappedMLP, Network)
    True
    """

    holds_linear_model = False
    can_bend = True

    # ------------------------------------------------------------ the structure
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
            straight to the outputs, (n_taps, n_outputs), or None.
        """

    @abstractmethod
    def describe(self):
        """Name what makes two networks differ.

        Returns
        -------
        dict
            Plain data by name.
        """

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
