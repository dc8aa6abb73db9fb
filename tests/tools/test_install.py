import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools import install

TOOLS = Path(install.__file__).parent


def uv_environment(**env: str) -> dict[str, str]:
    """As seen by the Python that makes `.venv`; the one inside has no pip."""
    python = Path(sys.base_prefix) / "bin" / "python3"
    code = "import install, json; print(json.dumps(install.uv_environment()))"
    ran = subprocess.run([python, "-c", code], cwd=TOOLS, env=env, capture_output=True, check=True)
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def test_a_package_and_its_hashes_are_found_in_the_lock() -> None:
    lines = install.locked("uv").splitlines()
    assert lines[0].startswith("uv==")
    assert any("--hash=sha256:" in line for line in lines)
    assert all(line.startswith(" ") for line in lines[1:])


def test_what_pip_is_told_uv_is_told_too(tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = file:///packages\n[install]\nextra-index-url =\n  file:///one\n  file:///two\n"
        "find-links = /wheels /more\n"
    )
    env = uv_environment(PIP_CONFIG_FILE=str(config), PIP_FIND_LINKS="/other /wheels")
    assert env["UV_DEFAULT_INDEX"] == "file:///packages"
    assert env["UV_INDEX"] == "file:///one file:///two"
    assert env["UV_FIND_LINKS"] == "/other,/wheels"


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_what_uv_was_told_by_the_user_stands(name: str) -> None:
    env = uv_environment(PIP_INDEX_URL="file:///packages", **{name: "file:///mine"})
    assert env[name] == "file:///mine"
    assert "file:///packages" not in {env.get("UV_DEFAULT_INDEX"), env.get("UV_INDEX_URL")}
