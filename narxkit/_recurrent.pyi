"""Types of the compiled kernels of the recurrent cells."""

import numpy as np
from numpy.typing import DTypeLike, NDArray

_Floats = NDArray[np.float64]
_Reals = NDArray[np.float64] | NDArray[np.float32]
_Indices = NDArray[np.intp]
_Flag = NDArray[np.int32]
_Tap = tuple[int, int]

CELLS: dict[str, int]
DIVERGED: float

class CellPlan:
    """What the kernels must know of a network: sizes, offsets into theta, output taps."""

    @property
    def args(self) -> tuple:
        """What the plan was made from."""
    @property
    def parts(self) -> tuple[tuple[str, int, int, tuple[int, ...]], ...]:
        """Blocks of the parameters: name, layer or -1, offset, shape."""
    @property
    def n_params(self) -> int:
        """Length of the parameter vector."""
    @property
    def n_state(self) -> int:
        """Length of a state: h, and c of an LSTM, layer after layer."""
    @property
    def n_masks(self) -> int:
        """Length of a mask of dropout: the units of all layers but the last."""
    def __init__(
        self,
        cell: str,
        n_inputs: int,
        hidden: tuple[int, ...],
        n_outputs: int,
        linear: bool = False,
        peepholes: bool = False,
        outputs: tuple[_Tap, ...] = (),
        head: bool = True,
    ) -> None: ...

class Windows:
    """Sequences of prepared rows, as the kernels of cells read them."""

    @property
    def single(self) -> bool:
        """Whether they are in single precision."""
    @property
    def shape(self) -> tuple[int, int]:
        """Sequences and steps."""
    def __init__(
        self,
        plan: CellPlan,
        x: _Reals,
        begins: _Indices | None = None,
        ends: _Indices | None = None,
        first: int = 0,
        y: _Reals | None = None,
        weight: _Reals | None = None,
        own: NDArray[np.uint8] | None = None,
        low: _Reals | None = None,
        high: _Reals | None = None,
        shocks: _Reals | None = None,
        state: _Reals | None = None,
        masks: _Reals | None = None,
        starts: _Indices | None = None,
        steps: int | None = None,
    ) -> None: ...

class Stream:
    """A network that is fed row by row and carries its state."""

    state: _Reals
    @property
    def dtype(self) -> np.dtype:
        """Precision."""
    def __init__(
        self,
        plan: CellPlan,
        theta: _Floats,
        dtype: DTypeLike = ...,
        state: _Reals | None = None,
    ) -> None: ...
    def walk(self, x: _Reals, y_hat: _Reals) -> None:
        """Go on by the rows of x."""

def run(
    plan: CellPlan,
    theta: _Floats,
    windows: Windows,
    stop: _Flag,
    y_hat: _Reals,
    bad: _Indices,
    end: _Reals,
    block: int = 0,
) -> bool:
    """Outputs of all sequences, and their last states."""

def sums_of_squares(
    plan: CellPlan,
    thetas: _Floats,
    windows: Windows,
    stop: _Flag,
    sse: _Floats,
    block: int = 0,
) -> None:
    """Sum of squared errors of every parameter vector."""

def gradient(
    plan: CellPlan,
    theta: _Floats,
    windows: Windows,
    stop: _Flag,
    g: _Floats,
    dstate: _Reals | None = None,
    dx: _Reals | None = None,
    adjoint: _Reals | None = None,
    block: int = 0,
) -> float:
    """Sum of squared errors and half its gradient, by backpropagation through time."""

def normal_equations(
    plan: CellPlan,
    theta: _Floats,
    windows: Windows,
    stop: _Flag,
    JtJ: _Floats,
    Jte: _Floats,
    forwards: bool | None = None,
    block: int = 0,
) -> float:
    """Sum of squared errors, J'J and J'e, block by block."""

def residuals_and_jacobian(
    plan: CellPlan,
    theta: _Floats,
    windows: Windows,
    stop: _Flag,
    e: _Floats,
    J: _Floats,
    forwards: bool | None = None,
    block: int = 0,
) -> float:
    """Weighted residuals and their whole Jacobian, for tests and intervals."""

def linearise(
    plan: CellPlan,
    theta: _Floats,
    windows: Windows,
    y_hat: _Floats,
    end: _Floats,
    d_y: _Floats,
    d_end: _Floats,
) -> None:
    """The last step of one sequence, and its derivatives by theta and by the state before."""
