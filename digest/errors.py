"""The one error tree: each error is a clear line for a person, and carries its data."""


class DigestError(Exception):
    """Something a person must look at: what, where, how to mend it. The command ends with `exit_code`."""

    exit_code = 1

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}; {self.mend}" if self.mend else self.message


class UsageError(DigestError):
    """Wrong usage or configuration."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration that cannot be taken. `where` is `config.toml:12 [smtp] port`, as far as it is known."""

    def __init__(self, where: str, message: str, *, mend: str = "") -> None:
        super().__init__(f"{where}: {message}", mend=mend)
        self.where = where


class NotFoundError(DigestError):
    """A named thing (an edition, an article, a subscriber) does not exist."""


class RefusedError(DigestError):
    """What was asked is understood and must not be done now: the state or a rule forbids it."""
