"""The promises of an installation: one version, a licence, a light import, clean archives.

The archives are looked for in the folder that the environment variable NARXKIT_DIST names.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

import narxkit

ROOT = Path(__file__).parents[1]
HEAVY = ("statsmodels", "deap", "matplotlib", "sktime")


@pytest.fixture
def installed():
    try:
        return metadata("narxkit")
    except PackageNotFoundError:
        pytest.skip("narxkit is built in place and not installed")


@pytest.fixture(scope="module")
def archives():
    """Return names of the files in the wheel and in the sdist, without the sdist's top folder."""
    if "NARXKIT_DIST" not in os.environ:
        pytest.skip("no archives built: NARXKIT_DIST is not set")
    dist = Path(os.environ["NARXKIT_DIST"])
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as opened:
        in_wheel = opened.namelist()
    with tarfile.open(sdist) as opened:
        in_sdist = [name.partition("/")[2] for name in opened.getnames()]
    return in_wheel, in_sdist


def with_suffix(names, *suffixes):
    return {name for name in names if name.endswith(suffixes)}


# --- version, licence, import ------------------------------------------------------------------


def test_version_is_the_installed_one(installed):
    assert installed["Version"] == narxkit.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", narxkit.__version__)


def test_version_stands_in_one_place():
    if not (ROOT / "setup.py").exists():
        pytest.skip("no source tree here")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "narxkit.__version__"}
    assert f"[{narxkit.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_pythons_are_the_same_wherever_they_are_named():
    """In the tests of every platform and as wheels; the classifiers name no other."""
    workflow = ROOT / ".github/workflows/tests.yml"
    if not workflow.exists():
        pytest.skip("no workflows here")
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, wheels = configuration["project"], configuration["tool"]["cibuildwheel"]["build"]
    named = re.findall(r"Python :: (3\.\d+)$", "\n".join(project["classifiers"]), re.MULTILINE)
    matrix = re.search(r"^ +python: \[(.+)\]$", workflow.read_text(), re.MULTILINE)[1]
    tested = re.findall(r"3\.\d+", matrix)
    assert tested[: len(named)] == named
    assert [name for name in wheels if "t-" not in name] == [
        f"cp{version.replace('.', '')}-*" for version in tested
    ]
    assert project["requires-python"] == f">={named[0]}"


def test_lowest_versions_are_read_from_the_bounds():
    """Of all that building, running and testing need; .ci/run tests with just these."""
    script = ROOT / ".ci/lowest.py"
    if not script.exists():
        pytest.skip("no source tree here")
    answer = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    lines = answer.stdout.split()
    names = [re.fullmatch(r"([\w-]+)==[\d.]+", line)[1] for line in lines]
    assert answer.returncode == 0 and len(set(names)) == len(names), answer.stderr
    assert {"Cython", "numpy", "pandas", "matplotlib", "pyarrow", "pytest"} <= set(names)
    assert f"numpy>={lines[names.index('numpy')].partition('==')[2]}" in "".join(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    )


def test_every_public_name_has_its_home():
    """Names are imported when they are asked for: all of them can be, and no other."""
    homes = [name for names in narxkit._HOMES.values() for name in names]
    assert sorted(homes) == sorted(narxkit.__all__)
    for name in narxkit.__all__:
        assert getattr(narxkit, name).__name__ == name and name in dir(narxkit)
    with pytest.raises(AttributeError, match="module 'narxkit' has no attribute 'Narx'"):
        getattr(narxkit, "Narx")  # noqa: B009


def test_licence_is_stated(installed):
    assert installed["License-Expression"] == "BSD-3-Clause"
    assert installed.get_all("License-File") == ["LICENSE"]


def test_import_is_light():
    code = f"import sys, narxkit; print([name for name in {HEAVY} if name in sys.modules])"
    home = Path(narxkit.__file__).parents[1]
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=home, capture_output=True, text=True, timeout=120
    )
    assert (answer.stdout.strip(), answer.returncode) == ("[]", 0), answer.stderr


def test_sources_without_kernels_say_what_to_do(tmp_path):
    """As in a clone where nothing is built."""
    built = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
    shutil.copytree(Path(narxkit.__file__).parent, tmp_path / "narxkit", ignore=built)
    answer = subprocess.run(
        [sys.executable, "-S", "-c", "import narxkit"],  # an installed one is not seen
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert answer.returncode == 1
    assert answer.stderr.rstrip().endswith(
        "ImportError: narxkit's kernels are not built: this is its source folder, so go to another "
        "one to use the installed package, or build here with pip install --editable ."
    )


def imported(arguments, folder):
    """Return the file of the narxkit that a Python with these arguments imports in a folder."""
    answer = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    return Path(answer.stdout.strip()).resolve()


def test_a_folder_of_its_name_beside_a_script_does_not_hide_it(installed, tmp_path):
    """As the folder of a clone does, which holds the package and is none."""
    (tmp_path / "narxkit/narxkit").mkdir(parents=True)
    script = tmp_path / "script.py"
    script.write_text(
        "import narxkit\nfrom importlib.util import find_spec\n"
        "assert find_spec('narxkit.datasets').origin\nprint(narxkit.__file__)\n"
    )
    home = imported(["-I", script], tmp_path)
    assert home.name == "__init__.py"
    for arguments in ([script.name], ["-m", "script"], ["-c", script.read_text()]):
        assert imported(arguments, tmp_path) == home


@pytest.mark.parametrize("folder", ["..", "narxkit", "tests"])
def test_sources_are_found_from_every_folder(installed, folder):
    home = Path(narxkit.__file__).resolve()
    if home.parents[1] != ROOT.resolve():
        pytest.skip("narxkit is not installed from its sources here")
    assert imported(["-c", "import narxkit; print(narxkit.__file__)"], ROOT / folder) == home


# --- builds ------------------------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch):
    """Return a command of setup.py by its name, not run."""
    if not (ROOT / "setup.py").exists():
        pytest.skip("no source tree here")
    monkeypatch.chdir(ROOT)
    pytest.importorskip("Cython")
    setup = pytest.importorskip("setuptools").distutils.core.run_setup
    return setup("setup.py", ["--quiet"], stop_after="commandline").get_command_obj


def test_kernels_are_replaced_in_one_step(command, tmp_path, monkeypatch):
    """A command that starts while they are built finds the old ones or the new ones, whole."""
    (tmp_path / "built.so").write_bytes(b"new")
    (tmp_path / "kernels.so").write_bytes(b"old")
    os.utime(tmp_path / "built.so", (0, 0))  # it may come from the other build tree and be older
    steps = []

    def replace(source, target):
        steps.append((Path(source).read_bytes(), Path(target).read_bytes()))
        os.rename(source, target)

    monkeypatch.setattr(os, "replace", replace)
    command("build_ext").copy_file(str(tmp_path / "built.so"), str(tmp_path / "kernels.so"))
    assert steps == [(b"new", b"old")]
    assert (tmp_path / "kernels.so").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built.so", "kernels.so"]


def test_a_build_in_place_keeps_what_is_up_to_date(command):
    """Editable installations build in a folder that stays."""
    build = command("build_ext")
    build.editable_mode = True
    build.ensure_finalized()
    assert build.build_lib.endswith("/editable") and build.inplace


# --- archives ----------------------------------------------------------------------------------


def test_wheel_carries_what_runs_and_no_sources(archives):
    wheel, _ = archives
    assert with_suffix(wheel, ".so", ".pyd")
    assert not with_suffix(wheel, ".c", ".pyx", ".pxd", ".h", ".pyc")
    assert with_suffix(wheel, ".csv.gz") and "narxkit/datasets/README.md" in wheel
    assert any(name.endswith("licenses/LICENSE") for name in wheel)
    tops = {name.partition("/")[0] for name in wheel}
    assert tops == {"narxkit", f"narxkit-{narxkit.__version__}.dist-info"}


def test_wheel_carries_every_module_and_stub_of_the_sdist(archives):
    wheel, sdist = archives
    modules = {name for name in with_suffix(sdist, ".py", ".pyi") if name.startswith("narxkit/")}
    data = {f"narxkit/{name}" for name in sdist if name.startswith("datasets/") and "." in name}
    assert modules and modules | data <= set(wheel)


def test_sdist_carries_all_sources_and_nothing_built(archives):
    _, sdist = archives
    for name in ("README.md", "CHANGELOG.md", "LICENSE", "Makefile", "conftest.py", "setup.py",
                 "pyproject.toml", "narxkit/_core.pyx", "narxkit/_simd.h",
                 "tests/test_packaging.py", "datasets/README.md"):  # fmt: skip
        assert name in sdist
    assert not with_suffix(sdist, ".c", ".so", ".pyd", ".pyc")
    for folder in ("examples", "benchmarks"):
        for file in ROOT.glob(f"{folder}/*.py"):
            assert f"{folder}/{file.name}" in sdist


@pytest.mark.parametrize("name", [".ci/run", "pyproject.toml"])
def test_test_files_that_are_named_are_there(name):
    """Also those in braces, as the shell reads them."""
    if not (ROOT / name).exists():
        pytest.skip(f"{name} is not here")
    text = (ROOT / name).read_text()
    named = re.findall(r"tests/(test_\w+)\.py", text)
    for words in re.findall(r"tests/test_\{([\w,]+)\}\.py", text):
        named += [f"test_{word}" for word in words.split(",")]
    assert named and [word for word in named if not (ROOT / f"tests/{word}.py").exists()] == []
