"""The web server's way in: `gunicorn config.wsgi`."""

import gc
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
settings.SECRET_KEY  # noqa: B018  # Django refuses an empty one when it is read: at the start, not at the first visitor
# What is loaded by now stays: no garbage collection need look at it again.
gc.freeze()
