"""Who takes mail for an address: large providers under many domains count as one."""

from __future__ import annotations

_DOMAINS = {
    "google": "gmail.com googlemail.com",
    "microsoft": "outlook.com outlook.de outlook.fr outlook.es outlook.it outlook.jp outlook.co.id outlook.com.br "
    "hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es hotmail.nl hotmail.be hotmail.co.jp "
    "live.com live.co.uk live.de live.fr live.it live.nl live.be live.ca live.com.au live.com.mx "
    "live.se live.dk live.no msn.com passport.com windowslive.com",
    "yahoo": "yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.ca yahoo.co.in yahoo.in yahoo.com.au "
    "yahoo.com.br yahoo.com.mx yahoo.com.ar yahoo.com.sg yahoo.com.ph yahoo.com.hk yahoo.com.tw yahoo.com.vn "
    "yahoo.co.id yahoo.co.nz yahoo.gr yahoo.ie yahoo.ro yahoo.se yahoo.no yahoo.dk yahoo.pl ymail.com rocketmail.com "
    "myyahoo.com aol.com aol.co.uk aol.de aol.fr aim.com verizon.net netscape.net love.com games.com",
    "apple": "icloud.com me.com mac.com privaterelay.appleid.com",
    "gmx": "gmx.de gmx.net gmx.at gmx.ch gmx.com gmx.org gmx.info gmx.eu gmx.fr gmx.us web.de email.de mail.com "
    "caramail.com",
    "t-online": "t-online.de magenta.de",
    "orange": "orange.fr wanadoo.fr voila.fr",
    "free": "free.fr online.fr libertysurf.fr aliceadsl.fr",
    "laposte": "laposte.net",
    "mailru": "mail.ru inbox.ru bk.ru list.ru internet.ru",
    "yandex": "yandex.ru yandex.com yandex.by yandex.kz yandex.ua ya.ru",
    "proton": "proton.me protonmail.com protonmail.ch pm.me",
    "fastmail": "fastmail.com fastmail.fm fastmail.net sent.com messagingengine.com",
    "zoho": "zoho.com zohomail.com zohomail.eu zoho.eu",
    "tencent": "qq.com foxmail.com vip.qq.com",
    "netease": "163.com 126.com yeah.net vip.163.com vip.126.com",
    "libero": "libero.it inwind.it iol.it blu.it giallo.it",
    "comcast": "comcast.net xfinity.com",
    "att": "att.net sbcglobal.net bellsouth.net pacbell.net ameritech.net swbell.net",
    "bt": "btinternet.com btopenworld.com talk21.com",
}
_OWNER = {domain: owner for owner, domains in _DOMAINS.items() for domain in domains.split()}
_LONGEST = 64  # the column's


def provider_of(address: str) -> str:
    """The provider of an address, or of a domain: a short name for the large ones, else the domain itself."""
    domain = address.rpartition("@")[2].lower().rstrip(".")
    return _OWNER.get(domain) or domain[:_LONGEST]
