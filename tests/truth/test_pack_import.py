"""A venue's own exchangeInfo and leverage brackets become a pack, figure by figure."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

from events.instruments import load_pack
from events.units import decimal_text
from tests.command_line import ringfence

INFO = "reference/exchangeInfo_fapi_20210722.json.gz"
BRACKETS = "gpl/leverageBracket_fapi_2024-10.json.gz"


def test_a_pack_of_binances_own_files(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.json"
    said = ringfence("pack", "import", "--exchange-info", data / INFO, "--brackets", data / BRACKETS, "--out", out)
    assert (
        said.err
        == "ringfence: 105 of 122 symbols imported; left out: 16 without brackets; 1 neither perpetual nor quarterly\n"
    )
    table = json.loads(gzip.decompress((data / BRACKETS).read_bytes()), parse_float=Decimal)
    published = {row["symbol"]: row["brackets"] for row in table}
    pack = load_pack(str(out))
    assert pack.version == "2021-07-21"
    for terms in pack.instruments:
        found = [(decimal_text(b.floor), decimal_text(b.mmr), decimal_text(b.cum)) for b in terms.brackets]
        names = ("notionalFloor", "maintMarginRatio", "cum")
        assert [tuple(map(Decimal, row)) for row in found] == [
            tuple(Decimal(row[name]) for name in names) for row in published[terms.id]
        ]
