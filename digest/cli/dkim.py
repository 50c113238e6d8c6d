"""`digest dkim`: the keys that sign our mails, and what DNS must say of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from digest.cli.context import AsJson, console, load_config, print_json
from digest.cli.help import Commands

if TYPE_CHECKING:
    from digest.config import Config

group = typer.Typer(
    cls=Commands, help="DKIM: make a key, show its record.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="dkim")


@group.command()
def make(
    context: typer.Context,
    selector: Annotated[str, typer.Argument(metavar="SELECTOR", help="Its name in DNS, e.g. rsa2026.")],
    kind: Annotated[
        Literal["rsa", "ed25519"], typer.Option("--type", help="Every verifier knows rsa; ed25519 may stand beside it.")
    ] = "rsa",
    as_json: AsJson = False,
) -> None:
    """Make a private key, and say what to write into config.toml and what to publish."""
    from digest.delivery import signing_keys

    config = load_config(context)
    known = config.signing_keys()
    path = known.get(selector) or config.resolve(Path("secrets") / f"dkim-{_checked(selector)}.pem")
    signing_keys.make(path, kind)
    found = _record(config, selector, path)
    if as_json:
        print_json(found | {"key_file": str(path), "configured": selector in known})
        return
    out = console()
    out.print(f"Made {path}, which only this user can read.", markup=False)
    if selector not in known:
        shown = path.relative_to(config.folder) if path.is_relative_to(config.folder) else path
        out.print("\nWrite into config.toml, once the record below is published:\n", markup=False)
        out.print(f'[[dkim.keys]]\nselector = "{selector}"\nkey_file = "{shown}"', markup=False)
    out.print("\nPublish:\n", markup=False)
    _print(found)


@group.command()
def record(context: typer.Context, as_json: AsJson = False) -> None:
    """The TXT record of each configured key, as DNS must publish it."""
    from digest.errors import NotFoundError

    config = load_config(context)
    found = [_record(config, selector, path) for selector, path in config.signing_keys().items()]
    if as_json:
        print_json(found)
        return
    if not found:
        raise NotFoundError("[[dkim.keys]] names no key", mend="make one with `digest dkim make SELECTOR`")
    for one in found:
        _print(one)


def _checked(selector: str) -> str:
    from digest.config.values import SettingError, selector_name
    from digest.errors import UsageError

    try:
        return selector_name(selector)
    except SettingError as error:
        raise UsageError(f"SELECTOR: {error.message}", mend=error.mend) from error


def _record(config: Config, selector: str, path: Path) -> dict[str, Any]:
    from digest.delivery import signing_keys

    name = signing_keys.record_name(selector, config.signing_domain())
    return {"name": name, "type": "TXT", "value": signing_keys.load(selector, path).record}


def _print(found: dict[str, Any]) -> None:
    """As a zone file has it: in strings of at most 255 octets, one after the other (RFC 6376 section 3.6.2.2)."""
    value = found["value"]
    strings = " ".join(f'"{value[start : start + 255]}"' for start in range(0, len(value), 255))
    console().print(f"{found['name']}. IN TXT ( {strings} )", markup=False, soft_wrap=True)
