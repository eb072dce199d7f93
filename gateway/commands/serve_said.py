"""What a server says when it is up: where it is, which keys there are, and how to point clients at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.commands.pointing import KEY, SECRET, ccxt_config, ccxt_text, freqtrade_text
from gateway.console import OUT, exact_text
from gateway.serving.keys import Key, KeyKind
from gateway.serving.server import Server
from gateway.serving.venue import Venue

NATIVE = "/api/v1"


@dataclass(frozen=True)
class Said:
    """A server that is up. made are the keys of a session's first start, with their secrets."""

    session: Path
    venue: Venue
    server: Server
    host: str
    made: list[tuple[Key, str]]
    account: str

    def object(self) -> dict[str, object]:
        """For programs."""
        made = {key.kind: (key.id, secret) for key, secret in self.made}
        key, secret = made.get(KeyKind.HMAC, ("", ""))
        return {
            "session": str(self.session), "http": self.http, "https": self.https, "authority": str(self.authority),
            "account": self.account, "key": key, "secret": secret, "token": made.get(KeyKind.BEARER, ("", ""))[1],
            "record": self.venue.durable.seq,
        }  # fmt: skip

    @property
    def http(self) -> str:
        """Where plain HTTP is."""
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def https(self) -> str:
        """Where TLS is."""
        return f"https://{f'[{self.host}]' if ':' in self.host else self.host}:{self.server.tls_port}"

    @property
    def authority(self) -> Path:
        """What clients verify TLS by."""
        assert self.server.authority is not None, "a server of this verb has a certificate"
        return self.server.authority

    @property
    def symbols(self) -> list[str]:
        """What is traded."""
        return list(self.venue.state.contracts)

    def text(self) -> str:
        """For people."""
        venue, shown = self.venue, dict(self._lines())
        width = max(map(len, shown))
        lines = [
            f"serving {self.session}: {venue.pack.id}, {', '.join(self.symbols)}; record {venue.durable.seq:,}",
            *(f"{name:<{width}}  {text}" for name, text in shown.items()),
        ]
        return "\n".join([*lines, "", *self._pointing(), "Ctrl-C stops it; the same command goes on with the session."])

    def _lines(self) -> list[tuple[str, str]]:
        http, https = self.http, self.https
        lines = [
            ("http", f"{http}   {http.replace('http', 'ws', 1)}"),
            ("https", f"{https}   {https.replace('https', 'wss', 1)}   verified by {self.authority}"),
            ("native", f"{http}{NATIVE}   reference {http}{NATIVE}/schema"),
            ("figures", f"{http}/metrics"),
            ("account", self._account()),
        ]
        for key, secret in self.made:
            if key.kind is KeyKind.BEARER:
                lines.append(("token", f"{secret}   shown this once"))
            else:
                lines += [("key", key.id), ("secret", f"{secret}   shown this once")]
        if not self.made:
            add = f"ringfence keys add {self.session} --account {self.account}"
            lines.append(("keys", f"in {self.session}.keys, their secrets sealed; another one: {add}"))
        return lines

    def _account(self) -> str:
        account = self.venue.state.accounts.get(self.account)  # type: ignore[call-overload]
        if account is None:
            return self.account
        sums = [f"{exact_text(wallet)} {asset}" for asset, wallet in account.wallets.items() if wallet]
        return f"{self.account} with {', '.join(sums) or 'nothing'}"

    def _pointing(self) -> list[str]:
        ids = {key.kind: (key.id, secret) for key, secret in self.made}
        key, secret = ids.get(KeyKind.HMAC, (KEY, SECRET))
        config = ccxt_config(self.server.port, self.server.tls_port, self.authority, key, secret)
        return ["# ccxt", ccxt_text(config, "BTC/USDT:USDT"), "# freqtrade", freqtrade_text(config, "BTC/USDT:USDT")]


def show(said: Said) -> None:
    """Print it."""
    OUT.print(said.text(), markup=False, soft_wrap=True)
