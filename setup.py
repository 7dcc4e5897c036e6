"""Build of the Cython extensions; everything else stands in pyproject.toml.

``NARXKIT_BOUNDSCHECK=1`` builds with index checks, in a build tree of its own.
"""

import os
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.editable_wheel import editable_wheel

EXTENSIONS = {  # module: headers it includes
    "narxkit._core": ["narxkit/_simd.h"],
    "narxkit._fractal": ["narxkit/_fractal.h", "narxkit/_simd.h"],
    "narxkit._recurrent": [
        "narxkit/_cell_loops.h",
        "narxkit/_simd.h",
        "narxkit/_simd_cells.h",
    ],
}
CHECKED = os.environ.get("NARXKIT_BOUNDSCHECK", "0") not in ("", "0")
BUILD_BASE = "build/checked" if CHECKED else "build"
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": CHECKED,
    "initializedcheck": CHECKED,
    "wraparound": False,
    "cdivision": True,
    "freethreading_compatible": True,
}
# Products stay rounded (no contraction), so that a result does not depend on the instruction set;
# errno and traps are what keeps gcc from vectorising; without -g0 the wheel is seven times larger.
UNIX_FLAGS = ["-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-g0"]


class BuildExt(build_ext):
    """Adds the flags that the compiler at hand understands, and keeps what is up to date."""

    def finalize_options(self):
        super().finalize_options()
        if self.editable_mode:  # setuptools gives a temporary folder, where nothing is up to date
            self.build_lib = f"{BUILD_BASE}/editable"

    def build_extensions(self):
        flags = ["/O2"] if self.compiler.compiler_type == "msvc" else UNIX_FLAGS
        for extension in self.extensions:
            extension.extra_compile_args = flags
        super().build_extensions()

    def copy_file(self, infile, outfile, *args, **options):
        """Replace the file in one step: who starts meanwhile finds the old one or the new."""
        copied = super().copy_file(infile, f"{outfile}.{os.getpid()}", *args, **options)
        os.replace(copied[0], outfile)
        return outfile, copied[1]


class EditableWheel(editable_wheel):
    """Puts this folder at the end of Python's path, beside the finder of setuptools.

    That finder is asked last, and never where a script stands beside a clone named narxkit, since
    any folder of that name passes for a package; what the path finds later goes before such one.
    The price: ``import datasets`` or ``benchmarks`` finds those of this folder in the environment
    where no installed package has the name.
    """

    if not hasattr(editable_wheel, "_run_build_commands"):  # private: it may change its name
        raise ImportError("setuptools has no editable_wheel._run_build_commands: mend setup.py")

    def _run_build_commands(self, dist_name, unpacked_wheel, *folders):
        path = Path(unpacked_wheel, f"__path__.{dist_name}.pth")
        path.write_text(f"{Path(self.project_dir).resolve()}\n", encoding="utf-8")
        return super()._run_build_commands(dist_name, unpacked_wheel, *folders)


def extension(module, headers):
    return Extension(
        module,
        sources=[module.replace(".", "/") + ".pyx"],
        depends=[*headers, "setup.py"],
        include_dirs=["narxkit", np.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
    )


setup(
    packages=[*find_packages(include=["narxkit", "narxkit.*"]), "narxkit.datasets"],
    package_dir={"narxkit.datasets": "datasets"},
    ext_modules=cythonize(
        [extension(*item) for item in EXTENSIONS.items()],
        build_dir=f"{BUILD_BASE}/cython",
        compiler_directives=DIRECTIVES,
    ),
    options={"build": {"build_base": BUILD_BASE}},
    cmdclass={"build_ext": BuildExt, "editable_wheel": EditableWheel},
)
