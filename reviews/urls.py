from django.urls import path

from reviews.views import case, codebook, disagreements, examples, failures, history, home, review, slots

urlpatterns = [
    path("", home.page, name="home"),
    path("review/", review.page, name="review"),
    path("review/<slug:slug>/", review.page, name="review_queue"),
    path("slots/release/", slots.release, name="slots_release"),
    path("slots/<int:pk>/decide/", review.decide, name="slot_decide"),
    path("slots/<int:pk>/undo/", review.undo, name="slot_undo"),
    path("slots/<int:pk>/heartbeat/", slots.heartbeat, name="slot_heartbeat"),
    path("slots/<int:pk>/draft/", slots.draft, name="slot_draft"),
    path("slots/<int:pk>/diff/", slots.diff, name="slot_diff"),
    path("slots/<int:pk>/defer/", slots.defer, name="slot_defer"),
    path("slots/<int:pk>/pass/", slots.pass_on, name="slot_pass"),
    path("slots/<int:pk>/hand-up/", slots.hand_up, name="slot_hand_up"),
    path("cases/<int:pk>/", case.page, name="case"),
    path("codebooks/", codebook.index, name="codebooks"),
    path("codebooks/<slug:slug>/", codebook.page, name="codebook"),
    path("codebooks/<slug:slug>/failures/", failures.page, name="codebook_failures"),
    path("codebooks/<slug:slug>/failures/cases/<int:pk>/", failures.case, name="codebook_code_case"),
    path("codebooks/<slug:slug>/failures/group/", failures.group, name="codebook_failures_group"),
    path("codebooks/<slug:slug>/failures/<int:pk>/", failures.mode, name="codebook_failure"),
    path("codebooks/<slug:slug>/examples/", examples.add, name="codebook_example"),
    path("codebooks/<slug:slug>/disagreements/", disagreements.index, name="codebook_disagreements"),
    path("codebooks/<slug:slug>/disagreements/<int:pk>/", disagreements.adjudicate, name="codebook_adjudicate"),
    path("codebooks/<slug:slug>/disagreements/<int:pk>/edge-case/", disagreements.edge_case, name="codebook_edge_case"),
    path("decisions/", history.page, name="decisions"),
    path("decisions/recent/", history.recent, name="decisions_recent"),
    path("decisions/<int:pk>/", history.amend, name="decision_amend"),
]
