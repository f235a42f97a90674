from django.urls import URLPattern, path, re_path

from codebook.views import agreement, batches, drift, labels, standing, use

urlpatterns: list[URLPattern] = [
    path("queues/<slug:slug>/codebook/", use.choose, name="queue_codebook"),
    path("codebooks/<slug:slug>/agreement/", agreement.page, name="codebook_agreement"),
    path("codebooks/<slug:slug>/labels/", labels.new, name="codebook_labels_import"),
    path("codebooks/<slug:slug>/labels/<int:pk>/", labels.page, name="codebook_labels_file"),
    path("codebooks/<slug:slug>/labels/<int:pk>/settle/", labels.settle, name="codebook_labels_settle"),
    path("codebooks/<slug:slug>/agreement/measure/", agreement.measure, name="codebook_agreement_measure"),
    re_path(
        r"^codebooks/(?P<slug>[-\w]+)/agreement/report\.(?P<kind>csv|json)$",
        agreement.file,
        name="codebook_agreement_file",
    ),
    path("codebooks/<slug:slug>/agreement/of/<slug:key>/", agreement.category, name="codebook_agreement_category"),
    path(
        "codebooks/<slug:slug>/agreement/of/<slug:key>/subjective/",
        agreement.accept,
        name="codebook_agreement_subjective",
    ),
    path("codebooks/<slug:slug>/standing/", standing.page, name="codebook_standing"),
    path("codebooks/<slug:slug>/standing/<int:category>/relabel/", standing.relabel, name="codebook_relabel"),
    path("codebooks/<slug:slug>/standing/<int:category>/<int:ancestor>/carry/", standing.carry, name="codebook_carry"),
    path(
        "codebooks/<slug:slug>/standing/<int:category>/<int:ancestor>/back/",
        standing.carry_back,
        name="codebook_carry_back",
    ),
    path("codebooks/<slug:slug>/relabels/<int:pk>/cancel/", standing.cancel, name="codebook_relabel_cancel"),
    path("codebooks/<slug:slug>/batches/", batches.index, name="codebook_batches"),
    path("codebooks/<slug:slug>/batches/<int:pk>/", batches.batch, name="codebook_batch"),
    path("codebooks/<slug:slug>/batches/<int:pk>/close/", batches.close, name="codebook_batch_close"),
    path("codebooks/<slug:slug>/reviewers/", drift.page, name="codebook_drift"),
    path("codebooks/<slug:slug>/reviewers/<int:pk>/", drift.reviewer, name="codebook_drift_reviewer"),
]
