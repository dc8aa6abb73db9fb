"""Become another program, which ends when the process that started it does, however that came about.

Run as a script, by path: `python -I -S leash.py PARENT SIGNAL ACCOUNT PROGRAM [ARGUMENT...]`. SIGNAL is what the kernel
sends to the program when PARENT is gone, so that `kill -9` of `belfry up` leaves nobody behind. ACCOUNT is `UID:GID`,
or `-` to stay who we are; it changes here because the kernel forgets the signal whenever the account changes, and so
that the account need not be able to reach our Python. Only Linux knows such a signal: elsewhere `kill -9` does leave
the children, and the next `up` deals with PostgreSQL's.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, number: int, account: str, program: list[str]) -> None:
    if account != "-":
        uid, gid = map(int, account.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before we had asked
            os.kill(os.getpid(), signal.SIGKILL)
    try:
        os.execvp(program[0], program)  # noqa: S606
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
