"""`python -m vitrion`: the command line, where no script is on the path."""

from vitrion.cli.app import main

if __name__ == "__main__":
    main()
