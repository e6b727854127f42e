#!/usr/bin/env python
"""The command line of the banner service, with the words of Django's manage.py."""

from banner.cli import main

if __name__ == "__main__":
    main()
