"""The reference of the native API: its OpenAPI document as a page that needs no script, and all messages as schemas."""

from __future__ import annotations

from html import escape
from typing import Any

import msgspec
from litestar import MediaType, Request, get

from events.asking import AnyCommand
from events.facts import AnyFact
from gateway.native import messages, stream

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
code,pre{font:13px/1.4 ui-monospace,monospace;background:#f4f4f4;border-radius:3px;padding:.1em .3em}
pre{padding:.6em;overflow:auto} table{border-collapse:collapse}
td,th{text-align:left;padding:.15em .8em .15em 0;vertical-align:top}
h2{margin-top:2.2rem;border-top:1px solid #ddd;padding-top:1rem} .verb{font-weight:700;text-transform:uppercase}
"""


@get("/schemas")
async def schemas() -> dict[str, Any]:
    """JSON Schema of every message: what is asked, what is told, and each command and fact of the log."""
    kinds = [kind for kind in vars(messages).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    own = [kind for kind in kinds if kind not in (messages.Asked, messages.Said)]
    _, components = msgspec.json.schema_components([*own, stream.Request, AnyCommand, AnyFact])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": components}


@get("/reference", media_type=MediaType.HTML)
async def reference(request: Request[Any, Any, Any]) -> str:
    """All of this, as a page for a browser."""
    document = request.app.openapi_schema.to_schema()
    return page(document)


def page(document: dict[str, Any]) -> str:
    """An OpenAPI document as a page."""
    title = f"{document['info']['title']} {document['info']['version']}"
    operations = [(path, verb, op) for path, verbs in sorted(document["paths"].items()) for verb, op in verbs.items()]
    parts = [f"<!doctype html><meta charset=utf-8><title>{escape(title)}</title><style>{STYLE}</style>"]
    parts += [f"<h1>{escape(title)}</h1><p>{escape(document['info']['description'])}</p>"]
    parts += ["<h2>Stream</h2><pre>", escape(stream.__doc__ or ""), "</pre>"]
    parts += [_operation(path, verb, op) for path, verb, op in operations if isinstance(op, dict)]
    schemas = document["components"].get("schemas", {})
    parts += [_schema(name, schema) for name, schema in sorted(schemas.items())]
    return "\n".join(parts)


def _operation(path: str, verb: str, operation: dict[str, Any]) -> str:
    rows = [(p["name"], _type(p["schema"]), p["in"]) for p in operation.get("parameters", [])]
    body = operation.get("requestBody", {}).get("content", {})
    rows += [("body", _type(content["schema"]), kind) for kind, content in body.items()]
    for status, response in sorted(operation.get("responses", {}).items()):
        rows += [(f"answers {status}", _type(c["schema"]), k) for k, c in response.get("content", {}).items()]
    table = "".join(f"<tr><td>{escape(n)}<td>{t}<td>{escape(w)}" for n, t, w in rows if n != "answers 400")
    said = escape(operation.get("description", ""))
    return f"<h2><span class=verb>{verb}</span> <code>{escape(path)}</code></h2><p>{said}</p><table>{table}</table>"


def _schema(name: str, schema: dict[str, Any]) -> str:
    needed = schema.get("required", [])
    fields = schema.get("properties", {}).items()
    rows = "".join(
        f"<tr><td>{escape(field)}<td>{_type(kind)}<td>{'' if field in needed else 'optional'}" for field, kind in fields
    )
    said = escape(schema.get("description", ""))
    return f"<h2 id={escape(name)}>{escape(name)}</h2><p>{said}</p><table>{rows}</table>"


def _type(schema: dict[str, Any]) -> str:
    """A type in a few words, with a link where it is one of those below."""
    if reference := schema.get("$ref"):
        name = escape(str(reference).rpartition("/")[2])
        return f"<a href=#{name}>{name}</a>"
    if choices := schema.get("oneOf") or schema.get("anyOf"):
        return " or ".join(_type(choice) for choice in choices)
    if values := schema.get("enum"):
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in values)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if (const := schema.get("const")) is not None:
        return f"<code>{escape(str(const))}</code>"
    return escape(str(schema.get("type", "anything")))


HANDLERS = [schemas, reference]
