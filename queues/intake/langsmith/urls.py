from django.urls import URLPattern, path, re_path

from queues.intake.langsmith import door

# With the version before them, as LangSmith's own addresses have it, and without.
_V: str = r"^(?:api/v1/)?"
_UUID: str = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"

urlpatterns: list[URLPattern] = [
    re_path(_V + r"info/?$", door.info, name="langsmith_info"),
    re_path(_V + r"sessions/?$", door.sessions, name="langsmith_sessions"),
    re_path(_V + r"runs/?$", door.runs, name="langsmith_runs"),
    re_path(_V + r"runs/batch$", door.runs_batch, name="langsmith_batch"),
    re_path(_V + r"runs/multipart$", door.runs_multipart, name="langsmith_multipart"),
    re_path(_V + rf"runs/(?P<pk>{_UUID})$", door.run, name="langsmith_run"),
    re_path(_V + r"feedback/?$", door.post_feedback, name="langsmith_feedback"),
    re_path(_V + r"feedback/tokens/?$", door.post_tokens, name="langsmith_tokens"),
    re_path(_V + rf"feedback/tokens/(?P<secret>{_UUID})$", door.by_token, name="langsmith_token"),
    path("<path:rest>", door.nowhere, name="langsmith_nowhere"),
]
