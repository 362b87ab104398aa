"""`python -m citystudy`."""

from citystudy.cli import main

main()
