"""Requests by chance against the native API, made from its own OpenAPI document: `python -m tests.fuzz.native_api`.

Whatever is asked, the answer is one that the document knows and no failure of the server, and afterwards the server
answers as before.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
import schemathesis
import typer
import urllib3
from hypothesis import HealthCheck, Phase

from tests.clients.running import Running, ServerThread


def fuzz(server: Running, examples: int, seed: int) -> Counter[int]:
    """Ask so many requests of each operation: how many answers had which status. Raises AssertionError."""
    headers = {"Authorization": f"Bearer {server.admin}"}
    schema = schemathesis.openapi.from_url(f"{server.http}/api/v1/schema/openapi.json")
    answers: Counter[int] = Counter()
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.startswith("/api/v1/keys/") or operation.path.endswith(("/logout", "/stream")):
            continue

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            answer = case.call(headers=headers, timeout=10)
            answers[answer.status_code] += 1
            assert answer.status_code < 500, f"{case.as_curl_command()}: {answer.status_code} {answer.text[:500]}"
            if answer.status_code >= 400:
                problem = answer.json()
                assert problem["code"], answer.text[:500]
                assert "\n" not in problem["message"], answer.text[:500]

        ask()
    return answers


def is_well(server: Running) -> bool:
    """Whether the server still answers, and decides orders."""
    pool = urllib3.PoolManager()
    headers = {"Authorization": f"Bearer {server.admin}", "Content-Type": "application/json"}
    order = b'{"instrument":"BTCUSDT","side":"buy","size":"0.01"}'
    placed = pool.request("POST", f"{server.http}/api/v1/orders", body=order, headers=headers, timeout=10.0)
    return placed.status in (201, 422) and pool.request("GET", f"{server.http}/readyz", timeout=10.0).status == 200


def main(examples: int = 40, seed: int = 1) -> None:
    """Try so many requests of every operation."""
    with TemporaryDirectory() as folder:
        thread = ServerThread(Path(folder))
        server = thread.start()
        try:
            answers = fuzz(server, examples, seed)
            assert is_well(server)
        finally:
            thread.stop()
    told = ", ".join(f"{count:,} answered {status}" for status, count in sorted(answers.items()))
    sys.stdout.write(f"native API: {answers.total():,} requests tried, no failure: {told}\n")


if __name__ == "__main__":
    typer.run(main)
