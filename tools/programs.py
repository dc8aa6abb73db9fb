"""Install the programs that a few tests talk to, where that is possible without asking. The others run without them.

It never fails: where it cannot, those tests are skipped, and say why.
"""

from __future__ import annotations  # an older Python must get as far as install.py, which says so

import os
import shutil
import subprocess
import sys

PACKAGES = {"nginx": "nginx-light", "chromium": "chromium"}
PATIENCE = 300  # seconds
QUIET = ["-qq", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10", "-o", "DPkg::Lock::Timeout=60"]


def missing() -> list[str]:
    """The packages of programs that are not there. nginx would be started as well, so only where nobody lives."""
    wanted = PACKAGES if os.environ.get("CI") else {"chromium": PACKAGES["chromium"]}
    return [package for program, package in wanted.items() if shutil.which(program) is None]


def apt_get(*arguments: str) -> bool:
    """Whether it worked; what it says is of no interest to somebody who wants to run tests."""
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", *QUIET, *arguments]
    try:
        ran = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ran.returncode == 0


def main() -> int:
    packages = missing()
    if not packages or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return 0
    names = " and ".join(packages)
    print(f"Installing {names} for the tests that need them", flush=True)
    install = ["install", "-y", "--no-install-recommends", *packages]
    if not (apt_get(*install) or (apt_get("update") and apt_get(*install))):  # images come without lists
        print(f"apt-get could not install {names}; the tests that need them are skipped", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
