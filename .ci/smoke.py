"""A short forecast and some command lines, all from an installed narxkit."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import narxkit
from narxkit.datasets import load_solar

# run in a folder with a month of solar irradiation in sun.csv
COMMANDS = """
narxkit --version
narxkit datasets
narxkit forecast solar
narxkit forecast sun.csv --target ghi --inputs temp_air --horizon 12 --out next.csv
narxkit fit sun.csv --target ghi --model arx --save sun.narx
narxkit forecast sun.csv --model sun.narx
narxkit compare stock
"""


def run(line, folder):
    """Run a command line of this Python's environment."""
    print(f"\n$ {line}", flush=True)
    name, *arguments = shlex.split(line)
    program = shutil.which(name, path=Path(sys.executable).parent)
    assert program, f"there is no {name} beside {sys.executable}"
    subprocess.run([program, *arguments], cwd=folder, check=True)


data = load_solar().iloc[: 24 * 30]
X, y = data[["clear_sky", "temp_air"]], data["ghi"]
model = narxkit.NARX(input_lags=1, output_lags=24, max_iter=10, random_state=0)
forecast = model.fit(X[:-24], y[:-24]).forecast(X=X[-24:])

assert np.isfinite(forecast).all() and forecast.index.equals(y.index[-24:])
print(f"narxkit {narxkit.__version__} in {Path(narxkit.__file__).parent}")
print(forecast.round(0).to_string())

with TemporaryDirectory() as folder:
    data.to_csv(Path(folder, "sun.csv"))
    for line in COMMANDS.strip().splitlines():
        run(line, folder)
