"""`python -m jobrecon`: the command line."""

from jobrecon.cli import main

main()
