"""The settings of worker processes in tests: as in the tests, with a lease that runs out while somebody waits."""

from tests.settings import *  # noqa: F403  # the same settings under another name are the point

DELIVERY_LEASE_SECONDS = 12
SILENCED_SYSTEM_CHECKS = ["alerts.E002"]  # the lease is too short on purpose: only one worker runs at a time
EMAIL_TIMEOUT = 20
