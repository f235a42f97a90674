"""Reads what tools write beside the conventions: our own attributes, OpenTelemetry's general ones, and those of
Traceloop, Vercel's AI SDK, MLflow and Pydantic AI.
"""

from collections.abc import Mapping
from typing import Any, Final

from queues.intake.foreign.messages import ANSWERED, ASKED, gist, interaction, messages, parsed
from queues.intake.foreign.said import Said, Sent

# hitl.topic, hitl.domain … say of a span what nobody's convention has a name for.
OWN: Final = ("topic", "domain", "language", "release", "prompt_version", "user_key", "session", "model")
TRACELOOP: Final = {"workflow": "chain", "task": "chain", "agent": "agent", "tool": "tool"}
VERCEL: Final = {
    "ai.generateText": "chain", "ai.streamText": "chain", "ai.generateObject": "chain", "ai.streamObject": "chain",
    "ai.generateText.doGenerate": "llm", "ai.streamText.doStream": "llm", "ai.generateObject.doGenerate": "llm",
    "ai.streamObject.doStream": "llm", "ai.toolCall": "tool", "ai.embed": "embedding", "ai.embedMany": "embedding",
    "ai.embed.doEmbed": "embedding", "ai.embedMany.doEmbed": "embedding",
}  # fmt: skip
MLFLOW: Final = {
    "LLM": "llm", "CHAT_MODEL": "llm", "CHAIN": "chain", "AGENT": "agent", "TOOL": "tool", "RETRIEVER": "retriever",
    "RERANKER": "reranker", "EMBEDDING": "embedding",
}  # fmt: skip


def own(sent: Sent) -> Said:
    """`hitl.…` attributes, of the span or of its resource: they count before everybody else's."""
    found = {name: sent.attributes.get(f"hitl.{name}") or sent.resource.get(f"hitl.{name}") for name in OWN}
    return Said(content=found)


def general(sent: Sent) -> Said:
    """Who, where and which release, as OpenTelemetry says it of anything."""
    has, resource = sent.attributes, sent.resource
    about = {
        "service": resource.get("service.name"),
        "environment": resource.get("deployment.environment.name") or resource.get("deployment.environment"),
        "error": sent.failed if sent.failed not in ("", "error") else None,
    }
    return Said(
        content={
            "user_key": has.get("user.id") or has.get("enduser.pseudo.id") or has.get("enduser.id"),
            "session": has.get("session.id"),
            "release": resource.get("service.version"),
            "metadata": {key: value for key, value in about.items() if value and value != "unknown_service"},
        }
    )


def traceloop(sent: Sent) -> Said:
    has = sent.attributes
    if not any(key.startswith("traceloop.") for key in has):
        return Said()
    kind = TRACELOOP.get(str(has.get("traceloop.span.kind") or ""), "")
    given, made = has.get("traceloop.entity.input"), has.get("traceloop.entity.output")
    properties = "traceloop.association.properties."
    content: dict[str, Any] = {
        "user_key": has.get(f"{properties}user_id") or has.get(f"{properties}user.id"),
        "session": has.get(f"{properties}session_id") or has.get(f"{properties}chat_id"),
        "prompt_version": ":".join(
            str(one) for one in (has.get("traceloop.prompt.key"), has.get("traceloop.prompt.version")) if one
        ),
    }
    if kind == "tool":
        content["tools"] = [_tool(sent, has.get("traceloop.entity.name"), given, made)]
    else:
        content |= {"input": gist(given, ASKED), "output": gist(made, ANSWERED)}
    return Said(kind, content)


def vercel(sent: Sent) -> Said:
    has = sent.attributes
    operation = str(has.get("ai.operationId") or "")
    if not operation.startswith("ai."):
        return Said()
    kind = VERCEL.get(operation, "")
    if kind == "tool":
        tool = _tool(sent, has.get("ai.toolCall.name"), has.get("ai.toolCall.args"), has.get("ai.toolCall.result"))
        return Said(kind, {"tools": [{**tool, "id": has.get("ai.toolCall.id")}]})
    prompt = parsed(has.get("ai.prompt"))
    asked = messages(has.get("ai.prompt.messages"))
    if not asked and isinstance(prompt, Mapping):
        system = [{"role": "system", "content": prompt["system"]}] if prompt.get("system") else []
        turns = prompt.get("messages") or [{"role": "user", "content": prompt.get("prompt")}]
        asked = messages([*system, *turns])
    said = has.get("ai.response.text") or has.get("ai.response.object") or has.get("ai.result.text")
    answer = {"role": "assistant", "content": said or "", "tool_calls": parsed(has.get("ai.response.toolCalls")) or ()}
    content = interaction(asked, messages([answer]))
    content |= {
        "model": has.get("ai.response.model") or has.get("ai.model.id"),
        "user_key": has.get("ai.telemetry.metadata.userId"),
        "session": has.get("ai.telemetry.metadata.sessionId"),
    }
    return Said(kind, content)


def mlflow(sent: Sent) -> Said:
    has = sent.attributes
    if not any(key.startswith("mlflow.") for key in has):
        return Said()
    kind = MLFLOW.get(str(parsed(has.get("mlflow.spanType")) or "").strip('"'), "")
    given, made = has.get("mlflow.spanInputs"), has.get("mlflow.spanOutputs")
    if kind == "tool":
        return Said(kind, {"tools": [_tool(sent, sent.name, given, made)]})
    if kind == "retriever":
        return Said(kind, {"documents": [*_mlflow_documents(parsed(made))], "input": gist(given, ASKED)})
    return Said(kind, {"input": gist(given, ASKED), "output": gist(made, ANSWERED)})


def _mlflow_documents(found: Any) -> list[dict[str, Any]]:
    documents = []
    for place, one in enumerate(found if isinstance(found, list) else (), 1):
        if isinstance(one, Mapping):
            about = one.get("metadata") if isinstance(one.get("metadata"), Mapping) else {}
            name = one.get("id") or (about or {}).get("doc_uri") or f"document {place}"
            documents.append({"document_id": name, "quote": one.get("page_content")})
    return documents


def pydantic_ai(sent: Sent) -> Said:
    has = sent.attributes
    if (turns := has.get("pydantic_ai.all_messages") or has.get("all_messages_events")) is None:
        return Said()
    told = messages(turns)
    last = max((place for place, one in enumerate(told) if one.role == "assistant" and one.text), default=len(told))
    content = interaction(told[:last], told[last:])
    if isinstance(final := has.get("final_result"), str) and final:
        content["output"] = final
    return Said("agent", content)


def _tool(sent: Sent, name: Any, given: Any, made: Any) -> dict[str, Any]:
    return {
        "name": name or sent.name,
        "status": "failed" if sent.failed else "ok",
        "arguments": parsed(given),
        "output": parsed(made) if made is not None else sent.failed or None,
    }
