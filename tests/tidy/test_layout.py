"""Where things are: the fixed folders, our own `events`, pinned packages, nothing large and no lock file."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import events
from tests.tidy.tree import ROOT

FOLDERS = {".ci", "benchmarks", "docs", "events", "examples", "exchange", "gateway", "replay", "tests", "web"}
MEGABYTE = 1_000_000
ADDRESS = re.compile(r"://|^\s*-|@\s*\S", re.MULTILINE)


@cache
def tracked() -> tuple[Path, ...]:
    """The files under version control."""
    git = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if git.returncode:
        pytest.skip("this copy is no git checkout")
    return tuple(Path(name) for name in git.stdout.split("\0") if name and (ROOT / name).is_file())


def strange_folders(files: Iterable[Path]) -> set[str]:
    """Top-level folders that the layout does not know."""
    return {path.parts[0] for path in files if len(path.parts) > 1} - FOLDERS


def is_lock_file(path: Path) -> bool:
    """Whether a package manager wrote it to remember where packages came from."""
    return path.suffix in {".lock", ".lockb"} or re.search(r"lock\.(json|yaml|toml)$", path.name) is not None


def pins(constraints: str) -> dict[str, str]:
    """Package -> its exact version. Raises ValueError on a line that is anything else."""
    found = {}
    for line in constraints.splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([a-z0-9-]+)==([0-9][\w.]*)( ; .+)?", line)
            if not match:
                raise ValueError(f"not an exact pin: {line}")
            found[match[1]] = match[2]
    return found


def closure(wanted: Iterable[str]) -> set[str]:
    """The packages that these requirements bring in here, those they bring in themselves included."""
    found: set[str] = set()
    open_ = [(Requirement(text), "") for text in wanted]
    while open_:
        requirement, extra = open_.pop()
        name = canonicalize_name(requirement.name)
        if (requirement.marker and not requirement.marker.evaluate({"extra": extra})) or name in found:
            continue
        found.add(name)
        try:
            further = requires(name) or []
        except PackageNotFoundError:
            continue
        open_ += [(Requirement(text), extra) for text in further for extra in (*requirement.extras, "")]
    return found


def project() -> dict[str, list[str]]:
    """What pyproject.toml asks for: to run, and to develop."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return {
        "run": table["project"]["dependencies"],
        "dev": table["project"]["optional-dependencies"]["dev"],
    }


def test_events_is_ours_and_not_the_package_of_that_name() -> None:
    assert events.__file__ is not None
    assert Path(events.__file__).resolve() == ROOT / "events" / "__init__.py"


def test_the_top_level_folders_are_as_fixed() -> None:
    assert strange_folders(tracked()) == set()


def test_a_strange_folder_is_found() -> None:
    assert strange_folders([Path("Makefile"), Path("events/units.py"), Path("utils/misc.py")]) == {"utils"}


def test_there_is_no_lock_file() -> None:
    assert [path for path in tracked() if is_lock_file(path)] == []


@pytest.mark.parametrize("name", ["poetry.lock", "web/package-lock.json", "bun.lockb", "pnpm-lock.yaml", "pylock.toml"])
def test_a_lock_file_is_found(name: str) -> None:
    assert is_lock_file(Path(name))


def test_no_file_is_large() -> None:
    assert [path for path in tracked() if (ROOT / path).stat().st_size > MEGABYTE] == []


def test_the_constraints_are_exact_and_name_no_address() -> None:
    text = (ROOT / "constraints.txt").read_text("utf-8")
    assert pins(text)
    assert ADDRESS.search(text) is None


@pytest.mark.parametrize("line", ["msgspec>=0.22", "msgspec", "msgspec @ file:///x", "--index-url x", "msgspec==0.*"])
def test_a_line_that_is_no_exact_pin_is_found(line: str) -> None:
    with pytest.raises(ValueError, match="not an exact pin"):
        pins(line)


def test_every_package_that_is_brought_in_is_pinned() -> None:
    pinned = pins((ROOT / "constraints.txt").read_text("utf-8"))
    assert closure(project()["run"] + project()["dev"]) - set(pinned) == set()


def test_the_pins_satisfy_what_the_project_asks_for() -> None:
    pinned = pins((ROOT / "constraints.txt").read_text("utf-8"))
    wanted = [Requirement(text) for text in project()["run"] + project()["dev"]]
    assert [str(one) for one in wanted if pinned[canonicalize_name(one.name)] not in one.specifier] == []


def test_the_closure_holds_what_packages_need_themselves() -> None:
    assert {"pytest", "pluggy", "iniconfig"} <= closure(["pytest>=9"])
    assert closure(["nowhere-to-be-found; extra == 'never'"]) == set()
    assert closure(["nowhere-to-be-found"]) == {"nowhere-to-be-found"}


def targets(makefile: str) -> list[str]:
    """The targets of a makefile that are no files."""
    return [name for line in re.findall(r"^\.PHONY:(.*)$", makefile, re.MULTILINE) for name in line.split()]


def test_make_has_at_most_a_dozen_targets_and_each_has_a_recipe() -> None:
    """`test-clients` is a variant of `test`, and counts as one with it."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert 0 < len({name.partition("-")[0] for name in targets(makefile)}) <= 12
    assert [name for name in targets(makefile) if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


def test_the_gate_runs_the_test_command_of_the_readme() -> None:
    for path in ("README.md", ".ci/run"):
        assert re.search(r"\bmake test\b", (ROOT / path).read_text("utf-8")), path
