"""From a stored rendition to a message that only waits for its reader."""

from __future__ import annotations

import re
from dataclasses import replace
from email.utils import parseaddr

from digest.app import App
from digest.delivery.message import Compiled, HeaderSettings
from digest.delivery.message import compile as compile_message
from digest.delivery.model import Delivery
from digest.post_office.seed_keys import edition_of
from digest.rendering.model import Rendition

_LANGUAGE = re.compile(r'<html[^>]*\slang="([A-Za-z0-9-]{1,35})"')


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
        postmark=bool(app.config.bounces.webhooks.postmark_file),
    )


def compiled_mail(app: App, made: Rendition, delivery: Delivery) -> Compiled:
    settings = header_settings(app)
    spoken = _LANGUAGE.search(made.html)  # a reader's mail may speak another language than the publication
    settings = replace(settings, language=spoken[1]) if spoken else settings
    mail, key = delivery.mail, delivery.key
    if mail == "seed":  # the very edition
        mail, key = "digest", edition_of(key)
    return compile_message(made, headers=settings, mail=mail, key=key, return_path=app.return_path, signer=app.signer)


def sender_domain(app: App) -> str:
    """The domain of From, in ASCII: the right side of every Message-ID."""
    return app.config.sender_domain()
