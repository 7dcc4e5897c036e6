"""Types of the compiled kernels of the tapped multilayer perceptron."""

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
_Indices = NDArray[np.intp]
_Flag = NDArray[np.int32]
_Tap = tuple[int, int, int]

ACTIVATIONS: dict[str, int]
DIVERGED: float
FEW: int

class Plan:
    """What the kernels must know of a network: sizes, offsets into theta, taps."""

    @property
    def args(self) -> tuple:
        """What the plan was made from."""
    @property
    def history(self) -> int:
        """Rows of history that a prediction reads."""
    @property
    def lead(self) -> int:
        """Rows after its own that a prediction reads."""
    @property
    def n_params(self) -> int:
        """Length of the parameter vector."""
    def __init__(
        self,
        sizes: tuple[int, ...],
        activation: str,
        linear: bool,
        outputs: tuple[_Tap, ...],
        inputs: tuple[_Tap, ...],
        n_inputs: int,
    ) -> None: ...

class Measured:
    """Inputs, outputs and their bounds, as kernels read them."""

    @property
    def n(self) -> int:
        """Number of rows."""
    def __init__(
        self,
        u: _Floats,
        y: _Floats,
        low: _Floats | None = None,
        high: _Floats | None = None,
    ) -> None: ...

class Trajectories:
    """Rollouts over measured rows, as kernels read them."""

    @property
    def data(self) -> Measured:
        """The rows."""
    @property
    def n(self) -> int:
        """Number of rollouts."""
    @property
    def n_steps(self) -> int:
        """Steps of all of them."""
    @property
    def longest(self) -> int:
        """Steps of the longest."""
    @property
    def washout(self) -> int:
        """First steps of each that have no weight."""
    @property
    def is_falling(self) -> bool:
        """Whether none is longer than the one before."""
    def __init__(
        self,
        data: Measured,
        origins: _Indices,
        lengths: _Indices,
        weight: _Floats | None = None,
        washout: int = 0,
    ) -> None: ...

def open_loop(
    plan: Plan,
    theta: _Floats,
    data: Measured,
    rows: _Indices,
    y_hat: _Floats,
) -> None:
    """One-step predictions of `rows` from measured history."""

def rollout(
    plan: Plan,
    theta: _Floats,
    runs: Trajectories,
    path: _Floats,
    bad: _Indices,
    shocks: _Floats | None = None,
) -> None:
    """Trajectories that start with measured history and feed back their own output."""

def population_values(
    plan: Plan,
    thetas: _Floats,
    runs: Trajectories,
    stop: _Flag,
    sse: _Floats,
) -> None:
    """Sum of squared errors of every parameter vector."""

def gradient(
    plan: Plan,
    theta: _Floats,
    runs: Trajectories,
    stop: _Flag,
    g: _Floats,
) -> float:
    """Sum of squared errors (NaN when stopped); `g` becomes J'e, half its gradient."""

def residuals_and_jacobian(
    plan: Plan,
    theta: _Floats,
    runs: Trajectories,
    e: _Floats,
    J: _Floats,
) -> None:
    """Weighted residuals and their whole Jacobian."""

def normal_equations(
    plan: Plan,
    theta: _Floats,
    runs: Trajectories,
    stop: _Flag,
    JtJ: _Floats,
    Jte: _Floats,
) -> float:
    """Sum of squared errors (NaN when stopped), J'J and J'e, accumulated block by block."""

def closed_values(
    plan: Plan,
    thetas: _Floats,
    runs: Trajectories,
    stop: _Flag,
    sse: _Floats,
) -> None:
    """Sum of squared errors of every parameter vector over rollouts."""

def closed_gradient(
    plan: Plan,
    theta: _Floats,
    runs: Trajectories,
    stop: _Flag,
    g: _Floats,
) -> float:
    """Sum of squared errors over rollouts and half its gradient, backwards through time."""

def closed_residuals_and_jacobian(
    plan: Plan,
    theta: _Floats,
    runs: Trajectories,
    e: _Floats,
    J: _Floats,
) -> None:
    """Weighted residuals over rollouts and their whole Jacobian."""

def closed_normal_equations(
    plan: Plan,
    theta: _Floats,
    runs: Trajectories,
    stop: _Flag,
    JtJ: _Floats,
    Jte: _Floats,
) -> float:
    """Sum of squared errors over rollouts, J'J and J'e, by sensitivities that go with the path."""

def loop_gain(
    plan: Plan,
    theta: _Floats,
    runs: Trajectories,
    passes: int,
) -> float:
    """Growth per step of a small perturbation of the fed-back output, by the loop's tangent."""
