"""`belfry` and `python -m belfry`."""

from belfry.cli import belfry


def main() -> None:
    belfry(prog_name="belfry")


if __name__ == "__main__":
    main()
