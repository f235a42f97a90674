#!/usr/bin/env python
"""The door for people who run hitl: `manage.py up`, `manage.py demo`, `manage.py help`."""

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from hitl.database.base import Unavailable


def without_data_dir(arguments: list[str]) -> list[str]:
    """Take `--data-dir FOLDER` out of any command's arguments: the settings need it before there is a command."""
    left = []
    given = iter(arguments)
    for argument in given:
        name, equals, folder = argument.partition("=")
        if name != "--data-dir":
            left.append(argument)
            continue
        if not equals:
            folder = next(given, "")
        if not folder or folder.startswith("-"):
            sys.exit("--data-dir needs the name of a folder.")
        os.environ["HITL_DATA_DIR"] = str(Path(folder).resolve())
    return left


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hitl.settings")
    arguments = without_data_dir(sys.argv)
    try:
        execute_from_command_line(arguments)
    except (ImproperlyConfigured, Unavailable) as error:
        if "--traceback" in arguments:
            raise
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
