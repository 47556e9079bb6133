#!/bin/sh
# Django's deployment check with settings as an installation has them. Run through devstack.run, which names the servers.
export DEBUG=false
export HTTPS=true
export ALLOWED_HOSTS=points.example.org
export SITE_URL=https://points.example.org
SECRET_KEY="$(.venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(64))')"
export SECRET_KEY
export EMAIL_URL=smtp://mail.example.org:25
export DEFAULT_FROM_EMAIL=points@example.org
exec .venv/bin/python manage.py check --deploy --fail-level WARNING
