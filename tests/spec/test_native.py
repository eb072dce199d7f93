"""The native API: what it does, as a client sees it."""

from __future__ import annotations

from typing import Any

from gateway.serving.keys import Scope
from replay.control import NoWayBack
from tests.loop import in_loop
from tests.native import native

MARKET_BUY = {"instrument": "BTCUSDT", "side": "buy", "size": "0.5"}
BID = {"instrument": "BTCUSDT", "side": "buy", "size": "0.5", "price": "59000"}


@in_loop
async def test_after_a_market_order_the_position_has_that_size_and_that_average() -> None:
    async with native() as api:
        placed = await api.told("POST", "/orders", MARKET_BUY, 201)
        assert (placed["order"]["status"], placed["order"]["executed"]) == ("filled", "0.5")
        (position,) = (await api.told("GET", "/account"))["positions"]
        assert (position["size"], position["entry_price"]) == ("0.5", placed["order"]["average_price"])
        (fill,) = await api.told("GET", "/fills")
        assert (fill["size"], fill["price"], fill["order"]) == ("0.5", "60000.1", placed["number"])


@in_loop
async def test_a_preview_says_what_the_order_then_does_and_leaves_the_session_as_it_was() -> None:
    async with native() as api:
        before = (await api.told("GET", "/session"))["record"]
        preview = await api.told("POST", "/orders/preview", MARKET_BUY)
        assert (await api.told("GET", "/session"))["record"] == before
        await api.told("POST", "/orders", MARKET_BUY, 201)
        account = await api.told("GET", "/account")
        (position,) = account["positions"]
        after = preview["after"]
        assert preview["accepted"]
        assert preview["before"]["liquidation_price"] is None
        assert (after["position"], after["entry_price"]) == (position["size"], position["entry_price"])
        assert after["liquidation_price"] == position["liquidation_price"]
        assert after["equity"] == account["wallets"][0]["equity"]
        assert float(preview["fee"]) == 15.000025


@in_loop
async def test_a_preview_of_what_margin_does_not_carry_says_which_rule_it_would_break() -> None:
    async with native() as api:
        preview = await api.told("POST", "/orders/preview", {**MARKET_BUY, "size": "10"})
        assert (preview["accepted"], preview["refused"]) == (False, "insufficient_margin")
        assert preview["before"] == preview["after"]


@in_loop
async def test_an_order_rests_is_amended_and_cancelled() -> None:
    async with native() as api:
        number = (await api.told("POST", "/orders", BID, 201))["number"]
        amended = await api.told("PATCH", f"/orders/{number}", {"price": "58000"})
        assert amended["order"]["price"] == "58000"
        assert [order["number"] for order in await api.told("GET", "/orders")] == [number]
        cancelled = await api.told("DELETE", f"/orders/{number}")
        assert cancelled["order"]["status"] == "cancelled"
        assert await api.told("GET", "/orders") == []
        assert [order["number"] for order in await api.told("GET", "/orders?status=all")] == [number]
        again = await api.told("DELETE", f"/orders/{number}", status=422)
        assert again["code"] == "unknown_order"


@in_loop
async def test_a_request_that_is_sent_again_under_its_key_is_decided_once() -> None:
    async with native() as api:
        first = await api.told("POST", "/orders", BID, 201, Idempotency_Key="mine")
        again = await api.told("POST", "/orders", BID, 201, Idempotency_Key="mine")
        assert (again["record"], again["repeated"]) == (first["record"], True)
        assert len(await api.told("GET", "/orders")) == 1
        refused = await api.told("POST", "/orders", {**BID, "price": "0.01"}, 422, Idempotency_Key="bad")
        assert refused == await api.told("POST", "/orders", {**BID, "price": "0.01"}, 422, Idempotency_Key="bad")


@in_loop
async def test_each_command_of_a_request_is_known_again_when_it_is_sent_again() -> None:
    async with native() as api:
        both = {"instrument": "BTCUSDT", "leverage": 7, "mode": "isolated"}
        first = await api.told("PUT", "/settings", both, Idempotency_Key="both")
        again = await api.told("PUT", "/settings", both, Idempotency_Key="both")
        assert [outcome["record"] for outcome in first] == [outcome["record"] for outcome in again]
        assert [outcome["repeated"] for outcome in first + again] == [False, False, True, True]
        await api.told("POST", "/orders", MARKET_BUY, 201)
        (position,) = (await api.told("GET", "/account"))["positions"]
        assert (position["mode"], position["leverage"]) == ("isolated", 7)


@in_loop
async def test_a_stop_waits_fires_and_closes_the_position() -> None:
    async with native() as api:
        await api.told("POST", "/orders", MARKET_BUY, 201)
        stop = {**MARKET_BUY, "side": "sell", "trigger_kind": "stop", "trigger": "59000", "reduce_only": True}
        number = (await api.told("POST", "/orders", stop, 201))["number"]
        assert (await api.told("GET", f"/orders/{number}"))["status"] == "waiting"
        api.host.move("58900")
        order = await api.told("GET", f"/orders/{number}")
        assert (order["status"], order["executed"]) == ("filled", "0.5")
        assert order["fired_at"] is not None
        assert (await api.told("GET", "/account"))["positions"] == []


@in_loop
async def test_margin_that_is_added_moves_the_liquidation_price_away() -> None:
    async with native() as api:
        await api.told("PUT", "/settings", {"instrument": "BTCUSDT", "mode": "isolated", "leverage": 20})
        await api.told("POST", "/orders", MARKET_BUY, 201)
        (before,) = (await api.told("GET", "/account"))["positions"]
        await api.told("POST", "/margin", {"instrument": "BTCUSDT", "amount": "500"})
        (after,) = (await api.told("GET", "/account"))["positions"]
        assert before["mode"] == after["mode"] == "isolated"
        assert float(after["isolated_margin"]) == float(before["isolated_margin"]) + 500
        assert float(after["liquidation_price"]) < float(before["liquidation_price"]) < 60000


@in_loop
async def test_of_several_orders_one_that_is_refused_leaves_the_others() -> None:
    async with native() as api:
        answer = await api.told("POST", "/orders/batch", {"orders": [BID, {**BID, "price": "0.05"}, BID]}, 201)
        kinds = [fact["kind"] for fact in answer["facts"]]
        assert kinds.count("order_accepted.1") == 2
        assert len(await api.told("GET", "/orders")) == 2


@in_loop
async def test_bad_input_gets_one_line_that_says_what_to_do() -> None:
    async with native() as api:
        cases: list[tuple[Any, int, str]] = [
            ({**BID, "sde": "buy"}, 400, "sde"),
            ({**BID, "side": "long"}, 400, "long"),
            ({**BID, "instrument": "NIX"}, 404, "NIX"),
            ({**BID, "price": "59000.05"}, 422, "price off tick"),
            ({**BID, "size": "1e9999999"}, 422, "size"),
            ({**BID, "size": "NaN"}, 422, "size"),
            ({**BID, "price": "ü"}, 422, "price"),
            ({**BID, "trigger": "5"}, 400, "trigger_kind"),
            ("no object", 400, "data"),
        ]
        for body, status, part in cases:
            problem = await api.told("POST", "/orders", body, status)
            assert part in problem["message"], problem
            assert "\n" not in problem["message"]
        assert (await api.told("GET", "/orders?status=some", status=400))["code"] == "bad_request"
        assert (await api.told("GET", "/nothing", status=404))["code"] == "not_found"
        assert (await api.told("GET", "/orders/77", status=404))["code"] == "unknown_order"


@in_loop
async def test_a_key_does_what_its_scopes_say_for_its_own_account() -> None:
    async with native() as api:
        await api.host.account("bob")
        reader, trader = api.token("ann", Scope.READ), api.token("ann", Scope.TRADE)

        async def status(token: str, method: str, path: str, json: Any = None) -> int:
            return (await api.ask(method, path, json, token)).status_code

        assert await status(reader, "GET", "/account") == 200
        assert await status(reader, "POST", "/orders", BID) == 403
        assert await status(trader, "POST", "/orders", BID) == 201
        assert await status(trader, "GET", "/account") == 403
        assert await status(trader, "POST", "/withdrawals", {"asset": "USDT", "amount": "1"}) == 403
        assert await status(reader, "GET", "/account?account=bob") == 403
        assert await status(reader, "GET", "/log") == 403
        assert await status("rf_nobody_nothing", "GET", "/account") == 401
        assert (await api.told("GET", "/account?account=bob"))["account"] == "bob"
        assert (await api.http.get("/api/v1/account", headers={"Authorization": ""})).status_code == 401
        assert (await api.http.get("/api/v1/session", headers={"Authorization": ""})).status_code == 200


@in_loop
async def test_an_admin_opens_accounts_makes_keys_and_revokes_them() -> None:
    async with native() as api:
        await api.told("POST", "/accounts", {"name": "eve", "deposit": {"USDT": "500"}}, 201)
        key = await api.told("POST", "/keys", {"account": "eve", "scopes": ["read"]}, 201)
        account = (await api.ask("GET", "/account", token=key["secret"])).json()
        assert (account["account"], account["wallets"][0]["balance"]) == ("eve", "500")
        assert "secret" in key
        assert all(not told["secret"] for told in await api.told("GET", "/keys"))
        await api.told("DELETE", f"/keys/{key['id']}")
        assert (await api.ask("GET", "/account", token=key["secret"])).status_code == 401
        assert (await api.told("POST", "/accounts", {"name": "eve"}, 422))["code"] == "account_exists"
        assert (await api.told("POST", "/keys", {"account": "nobody", "scopes": []}, 404))["code"] == "unknown_account"


@in_loop
async def test_money_comes_and_goes() -> None:
    async with native() as api:
        await api.host.account("bob")
        await api.told("POST", "/deposits", {"asset": "USDT", "amount": "100"})
        await api.told("POST", "/withdrawals", {"asset": "USDT", "amount": "40"})
        await api.told("POST", "/transfers", {"asset": "USDT", "amount": "10", "to": "bob"})
        assert (await api.told("GET", "/account"))["wallets"][0]["balance"] == "10050"
        assert (await api.told("GET", "/account?account=bob"))["wallets"][0]["balance"] == "10010"
        amounts = [entry["amount"] for entry in await api.told("GET", "/income")]
        assert amounts[-3:] == ["100", "-40", "-10"]
        assert (await api.told("POST", "/withdrawals", {"asset": "USDT", "amount": "1e-9"}, 400))[
            "code"
        ] == "bad_request"


@in_loop
async def test_the_log_is_read_from_any_record_on() -> None:
    async with native() as api:
        await api.told("POST", "/orders", MARKET_BUY, 201)
        head = (await api.told("GET", "/session"))["record"]
        seen, after = [], 0
        while after < head:
            page = await api.told("GET", f"/log?after={after}&limit=3")
            assert page["head"] == head
            seen += [record["seq"] for record in page["records"]]
            after = page["next"]
        assert seen == list(range(1, head + 1))
        assert (await api.told("GET", f"/log?after={head + 5}"))["records"] == []


@in_loop
async def test_the_market_needs_no_key() -> None:
    async with native() as api:
        names = [told["id"] for told in await api.told("GET", "/instruments", Authorization="")]
        assert "BTCUSDT" in names
        market = await api.told("GET", "/market/BTCUSDT", Authorization="")
        assert (market["mark"], market["bid"], market["ask"]) == ("60000", "59999.9", "60000.1")
        depth = await api.told("GET", "/market/BTCUSDT/depth", Authorization="")
        assert (depth["bids"], depth["asks"]) == ([["59999.9", "50"]], [["60000.1", "50"]])
        await api.told("POST", "/orders", MARKET_BUY, 201)
        (*_, trade) = await api.told("GET", "/market/BTCUSDT/trades")
        assert (trade["price"], trade["size"], trade["taker"]) == ("60000.1", "0.5", "buy")
        (*_, candle) = await api.told("GET", "/market/BTCUSDT/candles?interval=5m&limit=3")
        assert candle["close"] == "60000.1"
        assert (await api.told("GET", "/market/NIX", status=404))["code"] == "unknown_instrument"
        assert (await api.told("GET", "/market/BTCUSDT/candles?interval=7m", status=400))["code"] == "bad_request"


@in_loop
async def test_a_terminal_logs_in_with_a_cookie_and_changes_come_from_its_own_pages_only() -> None:
    async with native() as api:
        login = await api.ask("POST", "/login")
        cookie = login.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        api.http.headers.pop("Authorization")
        assert (await api.told("GET", "/account"))["account"] == "ann"
        assert (await api.told("POST", "/orders", BID, 403))["code"] == "foreign_origin"
        assert (await api.told("POST", "/orders", BID, 403, Origin="http://elsewhere"))["code"] == "foreign_origin"
        await api.told("POST", "/orders", BID, 201, Origin="http://ringfence")
        await api.ask("POST", "/logout")
        assert (await api.told("GET", "/account", status=401))["code"] == "no_token"


@in_loop
async def test_every_operation_is_in_the_reference_and_every_message_has_a_schema() -> None:
    async with native() as api:
        document = await api.told("GET", "/schema/openapi.json")
        page = (await api.ask("GET", "/reference")).text
        assert all(path in page for path in document["paths"])
        assert "/api/v1/orders/preview" in document["paths"]
        schemas = (await api.told("GET", "/schemas"))["$defs"]
        assert {"NewOrder", "Preview", "PlaceOrder", "Traded"} <= set(schemas)


@in_loop
async def test_a_session_without_a_player_or_a_file_says_so() -> None:
    async with native() as api:
        assert (await api.told("POST", "/session/pause", status=409))["code"] == "no_player"
        assert (await api.told("GET", "/session/export", status=409))["code"] == "no_file"
        assert (await api.told("GET", "/liquidations", status=409))["code"] == "no_file"


class GoesOn:
    """A player whose market is past every time that it is asked for."""

    async def seek(self, at: int) -> None:
        raise NoWayBack(str(at))


@in_loop
async def test_who_seeks_what_is_over_is_told_what_looks_back_in_the_times_that_he_is_shown() -> None:
    async with native() as api:
        api.desk.control = GoesOn()  # type: ignore[assignment]
        problem = await api.told("POST", "/session/seek", {"at": 1_700_000_000_000_000_000}, 409)
        assert problem["code"] == "no_way_back"
        over, hint = problem["message"].split(" is over, ")
        assert over == "2023-11-14T22:13:20Z"
        assert hint == "and a served session goes on only; fork it, or look back with `ringfence play`"
