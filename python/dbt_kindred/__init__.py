"""What dbt does for Kindred before it parses the project: it stops a build whose input files are not there.

dbt imports every module whose name begins with dbt_ and starts the plugins that it names. That interface is
experimental, so nothing else rests on it: without this module, dbt itself stops later, in its own words.
"""

from __future__ import annotations

from pathlib import Path

from dbt.flags import get_flags
from dbt.plugins.manager import dbtPlugin
from dbt_common.exceptions import DbtRuntimeError

from dbt_kindred.inputs import missing_inputs

PROJECT = "kindred"
"""The name of Kindred's own project. A project that installs Kindred as a package has a name of its own."""

COMMANDS = {"build", "seed", "run", "retry"}
"""The commands of dbt that build from the inputs."""


class InputFiles(dbtPlugin):
    """Stops a build of Kindred's own project if an input file is missing."""

    def initialize(self) -> None:
        """Look for the files; dbt calls this before it parses the project."""
        flags = get_flags()
        if self.project_name == PROJECT and flags.WHICH in COMMANDS:
            sentence = missing_inputs(Path(flags.PROJECT_DIR), flags.VARS)
            if sentence:
                raise DbtRuntimeError(sentence)


plugins = [InputFiles]
