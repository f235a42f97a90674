import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hitl.access import authorities

SCOPES = st.sampled_from(
    ["finance", "finance.refund", "finance.refunds", "finance.refund.large", "l2", "a_b.c0", "finance.l2"]
)
LEVELS = st.sampled_from(["", *(f".L{level}" for level in range(1, 10))])
AUTHORITIES = st.builds(lambda scope, level: scope + level, SCOPES, LEVELS)


@pytest.mark.parametrize(
    ("held", "wanted", "may"),
    [
        ("finance.refund.L2", "finance.refund.L2", True),
        ("finance.refund.L2", "finance.refund.L1", True),
        ("finance.refund.L2", "finance.refund.L3", False),
        ("finance.refund.L2", "finance.refund", True),
        ("finance.refund", "finance.refund.L1", False),
        ("finance.refund", "finance.refund", True),
        ("finance.L9", "finance.refund.L1", False),
        ("finance.refund.L1", "", True),
    ],
)
def test_a_level_covers_the_lower_ones_of_its_scope_and_nothing_else(held, wanted, may):
    assert authorities.covers(held, wanted) is may


@pytest.mark.django_db
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=AUTHORITIES, wanted=AUTHORITIES | st.just(""))
def test_the_claims_sql_says_the_same(held, wanted):
    with connection.cursor() as cursor:
        cursor.execute("select authority_covers(%s, %s)", [held, wanted])
        assert cursor.fetchone()[0] is authorities.covers(held, wanted)
