"""The command line: `citystudy COMMAND`."""

from citystudy.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; every failure ends in one clear message and a documented exit code."""
    app(prog_name="citystudy")
