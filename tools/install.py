"""Make `.venv` what requirements.lock says, or leave it alone if it already is.

Runs before anything is installed, so it needs nothing but Python and pip. uv installs the lock ten times faster than
pip does; its version and its hashes stand in the lock like everyone else's. It does not read pip's configuration, so it
is told what pip would use, and if it cannot reach the packages even so, pip does the work.
"""

from __future__ import annotations  # an older Python must get as far as saying so

import ast
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "installed"
UV = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(PYTHON)]

# What pip calls a setting, what uv calls it (now, and before), and what uv puts between several values.
SETTINGS = [
    ("index-url", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"], " "),
    ("extra-index-url", ["UV_INDEX", "UV_EXTRA_INDEX_URL"], " "),
    ("find-links", ["UV_FIND_LINKS"], ","),
    ("no-index", ["UV_NO_INDEX"], " "),
    ("trusted-host", ["UV_INSECURE_HOST"], " "),
    ("keyring-provider", ["UV_KEYRING_PROVIDER"], " "),
    ("cert", ["SSL_CERT_FILE"], " "),
    ("client-cert", ["SSL_CLIENT_CERT"], " "),
    ("proxy", ["ALL_PROXY"], " "),
]


def wanted() -> str:
    """What is to be installed, where and for which Python. A copied clone differs: its editable install points away."""
    parts = [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), str(ROOT).encode(), sys.version.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def locked(name: str) -> str:
    """The lines of requirements.lock about one package: its version and its hashes."""
    lines: list[str] = []
    for line in LOCK.read_text().splitlines():
        if line.startswith(f"{name}==") or (lines and line.startswith(" ")):
            lines.append(line)
        elif lines:
            break
    return "\n".join(lines) + "\n"


def uv_environment() -> dict[str, str]:
    """The environment, with pip's configuration in uv's words where the user has not said anything to uv."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    found: dict[str, str] = {}
    for place in ("global.", "install.", ":env:."):  # the later wins, as in pip
        for line in listing.stdout.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(place):
                found[key[len(place) :]] = str(ast.literal_eval(value))
    env = dict(os.environ)
    for pip_name, uv_names, separator in SETTINGS:
        if found.get(pip_name) and not any(name in env for name in uv_names):
            env[uv_names[0]] = separator.join(found[pip_name].split())
    if "extra-index-url" in found:
        env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")  # pip looks at all of them too; the hashes decide
    return env


def install() -> None:
    bare = ["--without-pip"] if find_spec("pip") else []  # ours can install into it, and making one takes seconds
    subprocess.run([sys.executable, "-m", "venv", "--clear", *bare, str(VENV)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(PYTHON)] if bare else [str(PYTHON), "-m", "pip"]
    pip += ["--disable-pip-version-check", "install", "--quiet", "--no-user"]
    bootstrap = VENV / "uv.txt"
    bootstrap.write_text(locked("uv"))
    env = uv_environment()
    project = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    try:
        subprocess.run([*pip, "--no-deps", "--require-hashes", "--requirement", str(bootstrap)], check=True)
        subprocess.run([*UV, "--require-hashes", "--requirement", str(LOCK)], check=True, env=env)
        subprocess.run([*UV, *project], check=True, env=env)
    except (subprocess.CalledProcessError, OSError):
        print("uv could not do it; pip will, in about a minute", flush=True)
        subprocess.run([*pip, "--require-hashes", "--requirement", str(LOCK)], check=True)
        subprocess.run([*pip, *project], check=True)


def works(python: str) -> bool:
    """Whether it is more than a name: version managers put up signs that lead nowhere."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def suitable() -> str | None:
    """A Python that can make the environment: this one, unless it is too old or is the environment's own."""
    if sys.version_info < (3, 11):
        names = ["python3.13", "python3.12", "python3.11", "python3.14"]
        return next((name for name in names if shutil.which(name) and works(name)), None)
    if Path(sys.prefix).resolve() == VENV.resolve():  # activated
        return str(getattr(sys, "_base_executable", None))
    return sys.executable


def main() -> int:
    python = suitable()
    if python is None:
        print(f"Belfry needs Python 3.11 or later, and {sys.executable} is {sys.version.split()[0]}.", file=sys.stderr)
        print("Name another: PYTHON=/path/to/python3.12 just up", file=sys.stderr)
        return 1
    if python != sys.executable:
        os.execvp(python, [python, *sys.argv])  # noqa: S606
    directory = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)  # `just up` and `just test` may well be started together
    if STAMP.exists() and STAMP.read_text() == wanted():
        return 0
    print("Installing the packages of requirements.lock into .venv", flush=True)
    try:
        install()
    except subprocess.CalledProcessError as error:
        print(f"The installation failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    STAMP.write_text(wanted())
    return 0


if __name__ == "__main__":
    sys.exit(main())
