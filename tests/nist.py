"""The 27 nonlinear regression problems of NIST's Statistical Reference Datasets.

Every file of https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml carries the data, two
starting points (the first far, the second near) and certified estimates to 11 digits. Models are
written for complex parameters, so that their Jacobians come from the complex step, exact to
rounding.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "nist"
CERTIFIED_DIGITS = 11.0


class LeastSquares:
    """The objective of ``y_hat(theta) - y``, with every verb that a solver may ask for.

    Parameters
    ----------
    model : callable
        Maps a parameter vector (P,), real or complex, to y_hat (n,).
    y : array-like of shape (n,)
    penalty : array-like of shape (P,), default=0.0
    """

    def __init__(self, model, y, penalty=0.0):
        self.model = model
        self.y = np.asarray(y, dtype=float)
        self.penalty = np.asarray(penalty, dtype=float)

    def residuals(self, theta):
        with np.errstate(all="ignore"):
            return self.model(theta) - self.y

    def jacobian(self, theta, step=1e-30):
        columns = [self.residuals(theta + 1j * step * unit).imag for unit in np.eye(len(theta))]
        return np.stack(columns, axis=1) / step

    def value(self, theta):
        e = self.residuals(theta)
        with np.errstate(all="ignore"):
            return (e @ e + np.sum(self.penalty * theta**2)) / (2 * len(e))

    def population_values(self, thetas):
        return np.array([self.value(theta) for theta in thetas])

    def initial(self, rng):
        """Draw from around 0, where the problem says how many parameters there are."""
        return rng.normal(size=len(self.penalty))

    def value_and_grad(self, theta):
        g = self.jacobian(theta).T @ self.residuals(theta) + self.penalty * theta
        return self.value(theta), g / len(self.y)

    def normal_equations(self, theta):
        e, J = self.residuals(theta), self.jacobian(theta)
        return J.T @ J, J.T @ e, e @ e, len(e)


@dataclass(frozen=True)
class Problem:
    """One NIST problem: its objective, two starting points and the certified estimates."""

    name: str
    objective: LeastSquares
    starts: tuple
    certified: np.ndarray

    def digits(self, theta):
        """Count correct significant digits of the worst parameter (log relative error, 0 to 11)."""
        error = np.max(np.abs((theta - self.certified) / self.certified))
        if not np.isfinite(error):
            return 0.0
        return float(np.clip(-np.log10(max(error, 1e-300)), 0.0, CERTIFIED_DIGITS))


def load(name, folder=FOLDER):
    """Read ``<name>.dat``."""
    lines = (folder / f"{name}.dat").read_text().splitlines()
    parameters = np.array(
        [line.split("=")[1].split()[:3] for line in lines if re.match(r"\s+b\d\s*=", line)],
        dtype=float,
    )
    first = max(i for i, line in enumerate(lines) if line.startswith("Data:")) + 1
    data = np.loadtxt(lines[first:])
    y, x = data[:, 0], data[:, 1:].T if data.shape[1] > 2 else data[:, 1]
    model = MODELS[name]
    objective = LeastSquares(
        lambda b: model(b, x), np.log(y) if name == "Nelson" else y, np.zeros(len(parameters))
    )
    return Problem(name, objective, (parameters[:, 0], parameters[:, 1]), parameters[:, 2])


def saturation(b, x):
    return b[0] * (1 - np.exp(-b[1] * x))


def chwirut(b, x):
    return np.exp(-b[0] * x) / (b[1] + b[2] * x)


def lanczos(b, x):
    return b[0] * np.exp(-b[1] * x) + b[2] * np.exp(-b[3] * x) + b[4] * np.exp(-b[5] * x)


def gauss(b, x):
    return (
        b[0] * np.exp(-b[1] * x)
        + b[2] * np.exp(-((x - b[3]) ** 2) / b[4] ** 2)
        + b[5] * np.exp(-((x - b[6]) ** 2) / b[7] ** 2)
    )


def cubic_ratio(b, x):
    return (b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3) / (
        1 + b[4] * x + b[5] * x**2 + b[6] * x**3
    )


def enso(b, x):
    def wave(period, cosine, sine):
        angle = 2 * np.pi * x / period
        return cosine * np.cos(angle) + sine * np.sin(angle)

    return b[0] + wave(12, b[1], b[2]) + wave(b[3], b[4], b[5]) + wave(b[6], b[7], b[8])


MODELS = {
    "Bennett5": lambda b, x: b[0] * (b[1] + x) ** (-1 / b[2]),
    "BoxBOD": saturation,
    "Chwirut1": chwirut,
    "Chwirut2": chwirut,
    "DanWood": lambda b, x: b[0] * x ** b[1],
    "ENSO": enso,
    "Eckerle4": lambda b, x: (b[0] / b[1]) * np.exp(-0.5 * ((x - b[2]) / b[1]) ** 2),
    "Gauss1": gauss,
    "Gauss2": gauss,
    "Gauss3": gauss,
    "Hahn1": cubic_ratio,
    "Kirby2": lambda b, x: (b[0] + b[1] * x + b[2] * x**2) / (1 + b[3] * x + b[4] * x**2),
    "Lanczos1": lanczos,
    "Lanczos2": lanczos,
    "Lanczos3": lanczos,
    "MGH09": lambda b, x: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]),
    "MGH10": lambda b, x: b[0] * np.exp(b[1] / (x + b[2])),
    "MGH17": lambda b, x: b[0] + b[1] * np.exp(-x * b[3]) + b[2] * np.exp(-x * b[4]),
    "Misra1a": saturation,
    "Misra1b": lambda b, x: b[0] * (1 - (1 + b[1] * x / 2) ** -2),
    "Misra1c": lambda b, x: b[0] * (1 - (1 + 2 * b[1] * x) ** -0.5),
    "Misra1d": lambda b, x: b[0] * b[1] * x / (1 + b[1] * x),
    "Nelson": lambda b, x: b[0] - b[1] * x[0] * np.exp(-b[2] * x[1]),
    "Rat42": lambda b, x: b[0] / (1 + np.exp(b[1] - b[2] * x)),
    "Rat43": lambda b, x: b[0] / (1 + np.exp(b[1] - b[2] * x)) ** (1 / b[3]),
    "Roszman1": lambda b, x: b[0] - b[1] * x - np.arctan(b[2] / (x - b[3])) / np.pi,
    "Thurber": cubic_ratio,
}
