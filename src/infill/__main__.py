"""`python -m infill` is the command line."""

from infill.cli import main

main()
