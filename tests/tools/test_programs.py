import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import programs


def run(directory: Path, *there: str, apt_get: str) -> tuple[int, str]:
    """Run it where only these programs exist, and an apt-get that is a shell script."""
    for name in (*there, "apt-get"):
        (directory / name).write_text(f"#!/bin/sh\necho {name} $* >> {directory}/called\n{apt_get}\n")
        (directory / name).chmod(0o755)
    ran = subprocess.run(
        [sys.executable, programs.__file__],
        env={"PATH": str(directory), "CI": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    return ran.returncode, ran.stdout


def test_nothing_is_done_when_everything_is_there(tmp_path: Path) -> None:
    assert run(tmp_path, "nginx", "chromium", apt_get="exit 0") == (0, "")
    assert not (tmp_path / "called").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")
def test_what_is_missing_is_installed(tmp_path: Path) -> None:
    code, said = run(tmp_path, "nginx", apt_get="exit 0")
    assert (code, said) == (0, "Installing chromium for the tests that need them\n")
    [called] = (tmp_path / "called").read_text().splitlines()
    assert called.endswith("install -y --no-install-recommends chromium")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")
def test_tests_run_where_it_cannot(tmp_path: Path) -> None:
    code, said = run(tmp_path, apt_get="exit 100")
    assert code == 0
    assert said.endswith("apt-get could not install nginx-light and chromium; the tests that need them are skipped\n")


def test_a_server_is_not_installed_where_somebody_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.missing() == ["chromium"]
