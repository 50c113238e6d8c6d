"""Django's send_messages: its EmailMultiAlternatives for each reader, over its one connection."""

from __future__ import annotations

import django
from common import Stopwatch, task
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

work = task()
settings.configure(EMAIL_HOST="127.0.0.1", EMAIL_PORT=work.port, DEFAULT_CHARSET="utf-8", USE_I18N=False)
django.setup()
watch = Stopwatch()
for start in range(0, work.count, 100):
    mails = []
    for number in range(start, min(start + 100, work.count)):
        text, html = work.texts(number)
        headers = {"List-Unsubscribe": f"<https://roundup.example.org/u/{number:07d}>"}
        mail = EmailMultiAlternatives(work.subject, text, work.sender, [work.recipient(number)], headers=headers)
        mail.attach_alternative(html, "text/html")
        mails.append(mail)
    get_connection().send_messages(mails)
watch.report()
