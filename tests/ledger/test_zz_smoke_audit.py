import pytest
from datetime import date, timedelta
from ledger.audit import audit
from ledger.expiry import sweep_all
from ledger import notices, closures, extensions, adjustments
from ledger.actors import Actor
from ledger.errors import *
from ledger.models import *
from ledger.kinds import Waiver
from ledger.policies import Model, Unit, Rounding
from tests import builders as b
from tests.builders import NOW, days
pytestmark = pytest.mark.django_db

def kinds(a): return list(a.entries.order_by("seq").values_list("kind", flat=True))
def clean():
    assert [str(f) for f in audit()] == []
    from ledger.verdicts import Run
    from ledger.models import Mode
    for m in (Mode.FULL, Mode.MOVED):
        r = Run(m, NOW); assert list(r.findings()) == []; v = r.keep(ended_at=NOW); print(v.told, v.accounts)
        assert m == Mode.FULL or v.told == 0

def test_refund_hold(minji):
    b.grant(minji, 100, key="g")
    b.redeem(minji, 60, key="r")
    r = b.refund(minji, 20, "r", key="f1"); print(r)
    assert r.restored[0].points == 20
    b.refund(minji, 40, "r")
    with pytest.raises(MoreThanRedeemed): b.refund(minji, 1, "r")
    assert b.refund(minji, 20, "r", key="f1").restored == r.restored
    b.hold(minji, 50)
    c = b.capture(minji, 30); print(c)
    assert c.points == 30 and c.restored[0].points == 20
    assert b.capture(minji, 30) == __import__("dataclasses").replace(c, replayed=True)
    b.hold(minji, 10, key="h2")
    with pytest.raises(HoldNotOpen): b.capture(minji, hold="h2", now=NOW+days(1))
    sweep_all(now=NOW+days(1))
    print(kinds(minji)); clean()
    b.refund(minji, 30, "capture:hold", now=NOW+days(2))
    # expired then refund
    b.redeem(minji, 50, key="r2", now=NOW+days(3))
    lot = minji.lots.first()
    x = b.refund(minji, 50, "r2", now=NOW+days(500)); print(x)
    print(kinds(minji)); clean()

def test_closure(minji):
    b.grant(minji, 100); b.hold(minji, 30, lapses_at=NOW+days(50))
    b.close(minji)
    with pytest.raises(AlreadyClosing): b.close(minji)
    closures.withdraw(account=minji, now=NOW+days(1), key="w", by=b.STAFF)
    b.close(minji, now=NOW+days(2))
    sweep_all(now=NOW+days(40))
    with pytest.raises(AccountClosed): b.grant(minji, 5, now=NOW+days(41))
    print(kinds(minji)); clean()
    e = b.minji(b.moa("other")); b.close(e); sweep_all(now=NOW+days(40)); print(kinds(e)); clean()

def test_idle_notice(db):
    p = b.byeol(model=Model.INACTIVITY, count=12, rounding=Rounding.DAY, notice_channels=2, accepts_waivers=True)
    a = b.minji(p)
    r = b.grant(a, 100)
    lot = b.lot_of(r)
    b.grant(a, 50, now=NOW+days(10)); lot.refresh_from_db(); print(lot.expires_at)
    b.tell(a, [lot.pk], told_on=(NOW+days(11)).date(), now=NOW+days(11)); lot.refresh_from_db(); assert lot.gated
    notices.record(account=a, lots=[lot.pk], expires_at=lot.expires_at, told_on=(NOW+days(11)).date(), channel="sms", evidence="x", now=NOW+days(11), key="sms1", by=b.STAFF)
    lot.refresh_from_db(); assert not lot.gated
    notices.withdraw(account=a, notice="sms1", now=NOW+days(12), key="w1", by=b.STAFF, reason="came back")
    lot.refresh_from_db(); assert lot.gated
    notices.waive(account=a, lots=[lot.pk], expires_at=lot.expires_at, told_on=(NOW+days(12)).date(), waiver=Waiver.OPTED_OUT, evidence="x", now=NOW+days(12), key="wv", by=b.STAFF)
    lot.refresh_from_db(); assert not lot.gated
    clean()
    b.extend(a, [lot.pk], (NOW+days(800)).date(), now=NOW+days(13))
    a.refresh_from_db(); print(a.not_before); clean()
    sweep_all(now=NOW+days(1000)); clean(); print(kinds(a))
    other = Lot.objects.filter(account=a).order_by("seq").last(); print(other.expires_at, other.gated)

def test_more(db):
    p = b.moa(reinstate_window_days=30, clawback_beyond="write_off", spendable_after_days=7)
    a = b.minji(p)
    r = b.grant(a, 100, key="g")
    with pytest.raises(InsufficientPoints): b.redeem(a, 1)
    b.postpone(a, [b.lot_of(r).pk], NOW+days(10))
    b.redeem(a, 60, key="x", now=NOW+days(10))
    c = b.clawback(a, 100, undoes="g", now=NOW+days(11)); print(c)
    n = b.clawback(a, 100, undoes="g", now=NOW+days(11)); print(n.kind)
    g2 = b.grant(a, 70, now=NOW+days(12))
    lot = b.lot_of(g2)
    with pytest.raises(LotNotExpired): b.reinstate(a, lot.pk, now=NOW+days(13))
    q = b.reinstate(a, lot.pk, now=lot.expires_at+days(3)); print(q)
    with pytest.raises(AlreadyReinstated): b.reinstate(a, lot.pk, now=lot.expires_at+days(3))
    adjustments.adjust_down(account=a, points=500, now=lot.expires_at+days(4), key="d", by=b.STAFF, reason="x")
    adjustments.adjust_up(account=a, points=5, now=lot.expires_at+days(4), key="u", by=b.STAFF, reason="x")
    u = b.grant(a, 10, now=lot.expires_at+days(5))
    l2 = b.lot_of(u)
    b.extend(a, [l2.pk], (l2.expires_at+days(60)).date(), now=lot.expires_at+days(6))
    k = Entry.objects.filter(account=a, kind="extend").last().key
    extensions.undo(account=a, extension=k, now=lot.expires_at+days(7), key="undo", by=b.STAFF, reason="x")
    l3=b.lot_of(u); assert l3.expires_at == l2.expires_at
    print(kinds(a)); clean()
