#!/usr/bin/env python
"""The command line in a checkout; `truing` is the same once installed."""

from truing.cli import main

if __name__ == "__main__":
    main()
