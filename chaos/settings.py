"""The settings of all processes of a run: the real ones, the run's clock, and time-outs that fit into minutes.

A lease stays longer than twice the time-outs of a call: the system check that asks for it is not silenced.
"""

import os

from chaos.clock import Clock, install
from config.settings import *  # noqa: F403  # the same settings under another name are the point

CLOCK_OF_THE_RUN = Clock.of_environment()
install(CLOCK_OF_THE_RUN)

INSTALLED_APPS = [*INSTALLED_APPS, "chaos.apps.ChaosConfig"]  # noqa: F405
EMAIL_TIMEOUT = 1
DELIVERY_LEASE_SECONDS = float(os.environ["CHAOS_LEASE"])
