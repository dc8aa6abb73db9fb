"""The unprivileged account that runs PostgreSQL when we are root: it refuses to run as root itself."""

import os
import pwd
import subprocess
from pathlib import Path
from typing import Self

import msgspec


class Owner(msgspec.Struct, frozen=True):
    uid: int
    gid: int

    @classmethod
    def of(cls, path: Path) -> Self:
        found = path.stat()
        return cls(found.st_uid, found.st_gid)

    @classmethod
    def nobody(cls) -> Self:
        entry = pwd.getpwnam("nobody")  # initdb insists on an account with a name
        return cls(entry.pw_uid, entry.pw_gid)

    def reaches(self, path: Path) -> bool:
        """Whether this account can enter the directory or run the file.

        The kernel is asked: it knows access lists and mounts.
        """
        answer = subprocess.run(
            ["test", "-x", str(path)],  # noqa: S607
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            check=False,
        )
        return answer.returncode == 0

    def give(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)
