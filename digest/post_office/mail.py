"""From a stored rendition to a message that only waits for its reader."""

from __future__ import annotations

from email.utils import parseaddr

from digest.app import App
from digest.delivery.message import Compiled, HeaderSettings
from digest.delivery.message import compile as compile_message
from digest.delivery.model import Delivery
from digest.rendering.model import Rendition


def header_settings(app: App) -> HeaderSettings:
    """The headers that the configuration decides."""
    publication = app.config.publication
    name, address = parseaddr(publication.sender)
    return HeaderSettings(
        from_name=name or publication.name,
        from_address=address,
        reply_to=publication.reply_to,
        list_id=app.config.list_id(),
        list_name=publication.name,
        public_url=publication.public_url,
        language=publication.language,
    )


def compiled_mail(app: App, made: Rendition, delivery: Delivery) -> Compiled:
    return compile_message(made, headers=header_settings(app), mail=delivery.mail, key=delivery.key)


def sender_domain(app: App) -> str:
    """The domain of From: the right side of every Message-ID."""
    return parseaddr(app.config.publication.sender)[1].rpartition("@")[2]
