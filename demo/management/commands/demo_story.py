from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.utils import timezone

from demo.story import Story
from ledger.accounts import connect
from ledger.models import Member, Programme

# Not secrets: they open a demo that listens on this machine only.
MEMBER = ("minji", "minji-sees-her-points")
ADMIN = ("admin", "admin-extends-points")


class Command(BaseCommand):
    help = "Tell the demo's story, unless it has been told; print who can sign in."

    def handle(self, *args: Any, **options: Any) -> None:
        if Programme.objects.filter(code="moa").exists():
            self.stdout.write("The story has been told before.")
        else:
            done = Story(timezone.now()).tell()
            self.stdout.write(f"{done} things happened.")
        self._let_sign_in()
        self.stdout.write("member: {} {}".format(*MEMBER))
        self.stdout.write("admin: {} {}".format(*ADMIN))

    def _let_sign_in(self) -> None:
        if not User.objects.filter(username=ADMIN[0]).exists():
            User.objects.create_superuser(ADMIN[0], password=ADMIN[1])
        user = User.objects.filter(username=MEMBER[0]).first()
        user = user or User.objects.create_user(MEMBER[0], password=MEMBER[1])
        for member in Member.objects.filter(reference=MEMBER[0], user=None):
            connect(member=member, user=user)
