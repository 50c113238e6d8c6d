"""Lines and tails that content systems add to a text and that no editor wrote."""

from __future__ import annotations

import re

_MORE = r"""(?:continue\ reading|keep\ reading|read\ (?:more|on)|read\ the\ (?:full|rest|whole)
    |lire\ la\ suite|en\ savoir\ plus|weiterlesen|mehr\ lesen|leer\ m[aá]s|seguir\ leyendo|leia\ mais
    |continua\ a\ leggere|lees\ (?:meer|verder)|читать\ (?:далее|полностью)|подробнее|اقرأ\ المزيد
    |阅读(?:全文|更多)|続きを読む)"""
_DOTS = r"(?:…|\.{3}|\[\s*(?:…|\.{3})\s*\])"
_ARROW = r"(?:→|»|›|>)"

# A line is dropped if it is nothing but one of these.
_WHOLE_LINE = re.compile(
    rf"""(?:
        {_MORE}(?:\s+(?:here|article|story|post|about|the)\b.{{0,60}})?
        |{_MORE}.{{0,200}}{_ARROW}
        |(?:learn|see|find\ out)\ more|more\W*|full\ (?:story|article|text)|click\ (?:here|to)\b.{{0,60}}
        |(?:share|like|tweet|e-?mail|print|pin|save|follow|facebook|twitter|linkedin|whatsapp|telegram|reddit
           |tumblr|pinterest|google\+|x|this|on|to|via|by|with|us|it|a|link|friend|post|page|article|more|click
           |and|opens|in|new|window|[()\[\]:|,•·&+/-]|\s)+
        |(?:share|like)\ this\b.{{0,60}}
        |(?:filed\ under|posted\ in|tagged(?:\ with|\ as)?|tags?|categor(?:ies|y)|topics)\s*:.{{0,400}}
        |filed\ under\b.{{0,200}}
        |related(?:\ (?:posts?|articles?|stories|content|reading|coverage))?\s*(?::.{{0,400}})?
        |(?:see\ also|also\ read|read\ also|more\ from|you\ may\ also\ like|recommended)\s*(?::.{{0,400}})?
        |(?:leave|post|add)\ a\ (?:comment|reply)|(?:no|\d+)\ comments?|comments\ (?:off|are\ closed).{{0,80}}
        |advertisement|sponsored(?:\ content)?|loading\W*
        |(?:sign\ up|subscribe)\b.{{0,40}}\bnewsletter.{{0,40}}
        |(?:photo|image|picture)\ (?:credit|by|courtesy)\b.{{0,160}}
    )[\s.…:»›→>|!-]*""",
    re.IGNORECASE | re.VERBOSE,
)
# "The post TITLE appeared first on SITE." as WordPress writes it in each language, at the end of a line.
_APPEARED_FIRST = re.compile(
    r"""(?:^|(?<=\s))(?:
        the\ (?:post|article|entry)\s.{1,500}?\s
            (?:appeared\ first|first\ appeared|originally\ appeared|was\ first\ published)\ (?:on|at|in)\s
        |(?:l['’]article|cet\ article)\s.{1,500}?\sest\ apparu\ en\ premier\ sur\s
        |der\ beitrag\s.{1,500}?\s(?:erschien\ zuerst\ auf|ist\ zuerst\ erschienen\ auf)\s
        |la\ entrada\s.{1,500}?\s(?:se\ public[oó]|aparece|apareci[oó])\ primero\ en\s
        |o\ post\s.{1,500}?\sapareceu\ primeiro\ em\s
        |l['’]articolo\s.{1,500}?\s(?:sembra\ essere\ il\ primo\ su|proviene\ da)\s
        |het\ bericht\s.{1,500}?\sverscheen\ eerst\ op\s
        |запись\s.{1,500}?\sвпервые\ появилась\s
    ).{1,200}$""",
    re.IGNORECASE | re.VERBOSE,
)
# What is tacked on to the last sentence. After dots the text was cut off there, and a mark says so.
_CUT_OFF = re.compile(
    rf"{_DOTS}\s*(?:\(?\s*{_MORE}\b.{{0,200}}|\(?more\)?\W*|.{{1,200}}?{_ARROW})\s*$",
    re.IGNORECASE | re.VERBOSE,
)
_TACKED_ON = re.compile(
    rf"""(?:
        (?<=[.!?”"])\s+{_MORE}(?:\s+(?:here|article|story|post))?[\s.…:»›→>]*
        |\s{_MORE}\s*(?:{_DOTS}|{_ARROW}).{{0,20}}
        |\s{_ARROW}+\s*
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_WINDOW = 900  # these stand at the end of a line; looking only there keeps a hostile line cheap


def without_boilerplate(lines: list[str]) -> list[str]:
    """The lines without what a system added. Where "Read more" followed a cut, the mark "[…]" stays."""
    kept = []
    for line in lines:
        if len(line) < 600 and _WHOLE_LINE.fullmatch(line):
            continue
        head, tail = line[:-_WINDOW], line[-_WINDOW:]
        tail = _APPEARED_FIRST.sub("", tail).rstrip()
        tail = _TACKED_ON.sub("", _CUT_OFF.sub("[…]", tail)).rstrip()
        if (rest := (head + tail).strip()) and rest != "[…]":
            kept.append(rest)
    return kept
