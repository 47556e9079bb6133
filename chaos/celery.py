"""The same workers and the same ticks as in `config/celery.py`, woken much more often: `celery -A chaos.celery`."""

from config.celery import CLOCK, app

# A tick every ten seconds becomes one in a quarter of a second: a run has minutes, and a child lives for a second.
FASTER = 40
LEAST_EXPIRY = 2.0  # seconds; a wake-up that waited this long is followed by another

app.conf.beat_schedule = {
    name: {
        "task": task,
        "schedule": seconds / FASTER,
        "options": {"expires": max(seconds / FASTER, LEAST_EXPIRY)},
    }
    for name, (task, seconds) in CLOCK.items()
}
app.conf.beat_max_loop_interval = 0.2

__all__ = ["app"]
