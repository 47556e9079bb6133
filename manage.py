#!/usr/bin/env python
"""Django's command line: `python manage.py help` lists what Pointkeep adds to it."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError
from environs import EnvError


def main() -> None:
    """Run a command; a wrong setting, or a database that is not there, is said in a sentence, not as a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except (EnvError, ImproperlyConfigured) as error:
        sys.exit(f"A setting is wrong: {error}")
    except OperationalError as error:
        sys.exit(f"The database does not answer as it should: {error}")


if __name__ == "__main__":
    main()
