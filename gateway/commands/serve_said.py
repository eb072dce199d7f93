"""What a server says when it is up: where it is, which keys there are, and how to point clients at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from events.commands import AccountId
from gateway.commands.pointing import KEY, SECRET, lines, write
from gateway.console import OUT, exact_text
from gateway.serving.hosts import in_url, name_of, plain_host
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
    symbols: Sequence[str]

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
        return f"http://{in_url(plain_host(self.host))}:{self.server.port}"

    @property
    def https(self) -> str:
        """Where TLS is."""
        return f"https://{in_url(name_of(self.host))}:{self.server.tls_port}"

    @property
    def authority(self) -> Path:
        """What clients verify TLS by."""
        assert self.server.authority is not None, "a server of this verb has a certificate"
        return self.server.authority

    @property
    def clients(self) -> Path:
        """Where the files for clients are."""
        return self.session.with_name(f"{self.session.name}.clients")

    def point(self) -> None:
        """Write the files for clients. Raises OSError."""
        write(self.clients, in_url(name_of(self.host)), self.server.tls_port, self.authority)

    def text(self) -> str:
        """For people."""
        venue, shown = self.venue, dict(self._lines())
        width = max(map(len, shown))
        said = [
            f"serving {self.session}: {venue.pack.id}, {', '.join(self.symbols)}; record {venue.durable.seq:,}",
            *(f"{name:<{width}}  {text}" for name, text in shown.items()),
        ]
        return "\n".join([*said, "", *self._pointing(), "", "Ctrl-C stops it; the same command goes on with it."])

    def _lines(self) -> list[tuple[str, str]]:
        http, https = self.http, self.https
        rows = [
            ("http", f"{http}   {http.replace('http', 'ws', 1)}"),
            ("https", f"{https}   {https.replace('https', 'wss', 1)}   verified by {self.authority}"),
            ("native", f"{http}{NATIVE}   reference {http}{NATIVE}/reference"),
            ("figures", f"{http}/metrics"),
            ("account", self._account()),
        ]
        for key, secret in self.made:
            if key.kind is KeyKind.BEARER:
                rows.append(("token", f"{secret}   shown this once"))
            else:
                rows += [("key", key.id), ("secret", f"{secret}   shown this once")]
        if not self.made:
            add = f"ringfence keys add {self.session} --account {self.account}"
            rows.append(("keys", f"in {self.session}.keys, their secrets sealed; another one: {add}"))
        return rows

    def _account(self) -> str:
        account = self.venue.state.accounts.get(AccountId(self.account))
        if account is None:
            return self.account
        sums = [f"{exact_text(held.balance)} {asset}" for asset, held in account.wallets.items() if held.balance]
        return f"{self.account} with {', '.join(sums) or 'nothing'}"

    def _pointing(self) -> list[str]:
        ids = {key.kind: (key.id, secret) for key, secret in self.made}
        key, secret = ids.get(KeyKind.HMAC, (KEY, SECRET))
        return lines(self.clients, key, secret)


def show(said: Said) -> None:
    """Print it."""
    OUT.print(said.text(), markup=False, soft_wrap=True)
