"""The readers of span attributes in the order in which they count: what the first says is not asked of the next."""

from typing import Final

from queues.intake.foreign import genai, openinference, others
from queues.intake.foreign.said import Reader

READERS: Final[tuple[Reader, ...]] = (
    others.own,
    genai.read,
    openinference.read,
    others.vercel,
    others.pydantic_ai,
    others.traceloop,
    others.mlflow,
    others.general,
)
