from datetime import date, timedelta
import pytest
from tests import builders as b
from tests.windows import *
from ledger.models import Lot
from ledger import clawbacks

def cast():
    prog = b.byeol(name="Byeol Card Payback")
    moa = b.moa(name="Moa Membership")
    a = b.minji(prog); m = b.minji(moa)
    for mon, pts in ((2,4200),(3,1250),(5,3300),(6,800),(7,560),(8,12400),(10,2100),(11,300)):
        y=2024
        b.grant(a, pts, now=b.datetime(y,mon,14,3,0,tzinfo=b.UTC), key=f"g{mon}", reference=f"order-{1000+mon}")
    b.grant(a, 900, now=b.NOW-b.days(20), origin=b.Origin.PROMOTION, reason="Spring campaign")
    b.redeem(a, 1500, now=b.NOW-b.days(12), reference="voucher-77")
    try: b.redeem(a, 9000000, now=b.NOW-b.days(11))
    except Exception as e: print(e)
    lots = list(Lot.objects.filter(account=a).order_by("expires_at"))
    b.tell(a,[l.pk for l in lots if l.expires_at==lots[1].expires_at], told_on=(b.NOW-b.days(9)).date(), now=b.NOW-b.days(9))
    b.extend(a,[lots[2].pk], date(2025,9,30), now=b.NOW-b.days(5), reason="Our app was down in May")
    b.clawback(a, 300, now=b.NOW-b.days(3), undoes="g11", reference="return-1011")
    b.clawback(a, 300, now=b.NOW-b.days(2), undoes="g11", reference="return-1011")
    b.grant(m, 500, now=b.NOW-b.days(400)); b.grant(m, 700, now=b.NOW-b.days(2)); b.clawback(m, 1000, now=b.NOW-b.days(1), reason="order cancelled")
    b.grant(m, 200, now=b.NOW)
    sign_in_of(a, m)
    chief()
    return a

def sign_in(page, name):
    page.goto("/sign-in/"); page.fill("#id_username", name); page.fill("#id_password", PASSWORD)
    with page.expect_navigation(): page.keyboard.press("Enter")

def shots(page, name, w, full=True):
    page.set_viewport_size({"width": w, "height": 800}); page.screenshot(path=f"/tmp/shots/{name}-{w}.png", full_page=full)
    print(name, w, page.evaluate("document.documentElement.scrollWidth"))

def test_scratch(page):
    a = cast()
    page.goto("/"); shots(page, "signin", 390)
    sign_in(page, "minji")
    for lang in ("en","ko"):
        page.goto("/")
        with page.expect_navigation(): page.click(f"button[value={lang}]")
        for w in (360, 390,1100):
            shots(page, f"balance-{lang}", w)
        page.goto("/programmes/byeol/history/")
        for w in (390,1100): shots(page, f"history-{lang}", w)
        page.goto("/programmes/moa/"); shots(page, f"debt-{lang}", 390)
        page.goto("/programmes/moa/history/"); shots(page, f"debthist-{lang}", 390)
    page.emulate_media(color_scheme="dark"); page.goto("/"); shots(page,"dark",390); page.emulate_media(color_scheme="light")
    page.goto("/programmes/nope/"); shots(page,"404",390)
    page.goto("/programmes/byeol/history/?before=abc"); shots(page,"400",390)
    
    with page.expect_navigation(): page.click("button.quiet")
    page.set_viewport_size({"width":1100,"height":800})
    sign_in(page, "hana")
    for lang in ("en","ko"):
        page.goto("/")
        with page.expect_navigation(): page.click(f"button[value={lang}]")
        page.goto("/admin/"); shots(page,f"admin-{lang}",1100)
        for m in ("lot","entry","account","member","programme","policy"):
            page.goto(f"/admin/ledger/{m}/"); shots(page,f"admin-{m}-{lang}",1100)
        page.goto("/admin/ledger/programme/add/"); shots(page,f"admin-progadd-{lang}",1100)
        page.goto("/admin/ledger/member/add/"); shots(page,f"admin-memberadd-{lang}",1100)
        page.goto("/admin/ledger/lot/?q=minji"); page.check("#action-toggle"); page.select_option("select[name=action]","extend")
        with page.expect_navigation(): page.click("button[name=index]")
        shots(page,f"extend-form-{lang}",1100)
        page.fill("#id_until","2025-09-01"); page.fill("#id_reason","Our app was down")
        with page.expect_navigation(): page.click("input[name=preview]")
        shots(page,f"extend-preview-{lang}",1100); shots(page,f"extend-preview-{lang}",390)
    from ledger.models import Entry
    page.set_viewport_size({"width":1100,"height":800})
    for k in ("extend","notify","redeem"):
        page.goto(f"/admin/ledger/entry/{Entry.objects.filter(kind=k).first().pk}/change/"); shots(page,f"admin-entry-{k}",1100)
    page.goto(f"/admin/ledger/account/{a.pk}/change/"); shots(page,"admin-account-one",1100)
    page.goto(f"/admin/ledger/lot/{Lot.objects.first().pk}/change/"); shots(page,"admin-lot-one",1100)
