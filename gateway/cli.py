"""The `ringfence` command. Its verbs are worded in `gateway/verbs`; what they do lives in `gateway/commands`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gateway import calc, keyring, logs, packs, proofs
from gateway.verbs import markets, serving, sessions, stress, sweep

app = typer.Typer(
    name="ringfence",
    help="A paper-trading exchange that remembers everything: replay, liquidate, explain, verify.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.add_typer(calc.app, name="calc")
app.add_typer(packs.app, name="pack")
app.add_typer(logs.app, name="log")
app.add_typer(proofs.app, name="proof")
app.add_typer(keyring.app, name="keys")

for verb in (
    markets.demo, markets.synth, markets.replay, markets.sources, markets.probe, markets.fetch,
    sessions.verify, sessions.audit, sessions.fork, sessions.play, sessions.diff, sessions.why, sessions.lab,
    sessions.report, stress.stress, sweep.sweep, serving.serve, serving.doctor,
):  # fmt: skip
    app.command()(verb)


def _print_version(is_wanted: bool) -> None:
    """Print the versions that a report of a defect needs, and end."""
    if is_wanted:
        from gateway import version

        sys.stdout.write(version.text())
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_print_version,
            help="Print the versions of it, the rules and Python.",
        ),
    ] = False,
) -> None:
    """A paper-trading exchange that remembers everything: replay, liquidate, explain, verify."""


def main() -> None:
    """Run the command line."""
    sys.path.insert(0, "")
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
