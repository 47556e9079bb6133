"""The same workers and the same ticks as in `config/celery.py`, woken much more often: `celery -A chaos.celery`."""

from celery.signals import worker_ready

from chaos.line import READY
from config.celery import CLOCK, app

# A tick every ten seconds becomes one in half a second: a run has minutes, and a child lives for a few seconds.
FASTER = 20
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


@worker_ready.connect
def say_that_it_is_ready(**of_the_worker: object) -> None:
    """In the log, where `line.py` looks before it strikes."""
    print(READY, flush=True)


__all__ = ["app"]
