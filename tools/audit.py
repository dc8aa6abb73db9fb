"""Look up every package of requirements.lock in the databases of known holes.

pip-audit says "no known vulnerabilities found" also of packages it could not look up: here those are not fine.
Ends with 0 if all were looked up and none has a known hole, 1 if one has, and 2 if not all could be looked up.
"""

import json
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements.lock"
DATABASES = ("pypi", "osv")  # the second is asked where the first cannot be reached, or does not know a package
OPTIONS = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json", "--timeout", "15")


def asked(database: str, lock: Path) -> "dict[str, list[str] | None]":
    """Of each package the holes it is known for, None where it could not be looked up; empty if nobody answers."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--vulnerability-service", database]
    answer = subprocess.run([*command, *OPTIONS], capture_output=True, text=True, check=False)
    try:
        packages = json.loads(answer.stdout)["dependencies"]
    except ValueError:
        return {}
    return {each["name"]: _holes(each) for each in packages}


def _holes(package: "dict[str, object]") -> "list[str] | None":
    if "skip_reason" in package:
        return None
    holes = package["vulns"]
    assert isinstance(holes, list)
    return [f"{package['version']} has {hole['id']}, mended in {', '.join(hole['fix_versions'])}" for hole in holes]


def main(lock: Path = LOCK) -> int:
    known: dict[str, list[str] | None] = {}
    for database in DATABASES:
        for name, holes in asked(database, lock).items():
            known[name] = holes if known.get(name) is None else known[name]
        if known and None not in known.values():
            break
    for name, holes in known.items():
        for hole in holes or ():
            print(f"{name} {hole}")
    if any(known.values()):
        return 1
    missed = [name for name, holes in known.items() if holes is None]
    if not known or len(missed) == len(known):
        print("No database of known holes could be reached from here: NOTHING was checked. Run it where there is one.")
        return 2
    if missed:
        print(f"Not checked, for no database knows them: {', '.join(missed)}.", end=" ")
        print(f"The other {len(known) - len(missed)} are fine.")
        return 2
    print(f"None of {len(known)} packages has a known hole.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
