"""What a run changes in every process of its line, once Django is set up."""

from __future__ import annotations

import os

from django.apps import AppConfig

KEYED = "CHAOS_KEYED"  # in the environment of a run whose provider cannot be asked


class ChaosConfig(AppConfig):
    name = "chaos"

    def ready(self) -> None:
        """Put the run's own transport in the place of NHN's, where the run has one."""
        if os.environ.get(KEYED):
            from alerts.channels import TRANSPORTS
            from chaos.keyed import KeyedChannel

            TRANSPORTS[KeyedChannel.name] = KeyedChannel
