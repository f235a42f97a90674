from django.db import migrations

# The claim asks this of every lane in one statement; hitl.access.authorities says the same in Python, and a test
# holds the two together.
COVERS = r"""
create function authority_covers(held text, wanted text) returns boolean language sql immutable parallel safe as $$
  select wanted = '' or held = wanted or (
    regexp_replace(held, '\.L[1-9]$', '') = regexp_replace(wanted, '\.L[1-9]$', '')
    and held ~ '\.L[1-9]$'
    and right(held, 1)::int >= case when wanted ~ '\.L[1-9]$' then right(wanted, 1)::int else 0 end)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("hitl", "0002_initial")]

    operations = [
        migrations.RunSQL(COVERS, "drop function authority_covers(text, text)"),
    ]
