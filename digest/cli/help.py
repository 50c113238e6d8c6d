"""`digest --help`: every command with its whole sentence, in the order in which a week uses them."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

SECTIONS = {
    "Begin": ("init", "demo", "doctor"),
    "An edition": ("pull", "compose", "show", "explain", "try", "preview", "test"),
    "The editor's word": ("edit", "approve", "hold", "skip"),
    "Sending": ("send", "resume", "stop", "status", "reconcile", "correct", "bounces", "dkim"),
    "Readers": ("subscribers", "signup-form", "keys", "api-keys"),
    "Running": ("serve", "web", "scheduler", "worker", "db"),
}


class Commands(TyperGroup):
    """A group that never cuts its commands' sentences short."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        known = self.list_commands(ctx)
        width = max(len(name) for name in known)
        sections = SECTIONS if ctx.parent is None else {"Commands": tuple(known)}
        for title, names in sections.items():
            if names:
                with formatter.section(title):
                    formatter.write_dl([(name.ljust(width), self._sentence(ctx, name)) for name in names])

    def _sentence(self, ctx: Any, name: str) -> str:
        command = self.get_command(ctx, name)
        text = (command.help or "") if command else ""
        return " ".join(text.split("\n\n")[0].split()).removesuffix(".")
