"""The services that stay up: the web pages, the scheduler and the sender, in one process or each in its own."""

from digest.serve.process import EVERYTHING, Role, Serving, run

__all__ = ["EVERYTHING", "Role", "Serving", "run"]
