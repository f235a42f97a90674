import django.db.models.deletion
from django.db import migrations, models

# What counts as the answer on a case: the owner's word, else the latest of a relabel, else the first decision as
# amended, else what a person said of a case that a judge had labelled. Second and repeated decisions only measure.
VIEW = """
create view codebook_finallabel as
select distinct on (label.case_id) label.case_id, label.id as label_id
from codebook_label label
join codebook_labelbatch batch on batch.id = label.batch_id
where label.rater = 'person' and label.undone_at is null
  and batch.purpose in ('adjudication', 'relabel', 'first', 'judge_audit')
order by label.case_id, array_position(array['adjudication', 'relabel', 'first', 'judge_audit'], batch.purpose::text),
  label.id desc;
grant select on codebook_finallabel to hitl_app;
"""


class Migration(migrations.Migration):
    dependencies = [("codebook", "0005_labels_of_a_case")]

    operations = [
        migrations.RunSQL(VIEW, "drop view codebook_finallabel"),
        migrations.CreateModel(
            name="FinalLabel",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="final_label",
                        serialize=False,
                        to="queues.case",
                    ),
                ),
            ],
            options={"db_table": "codebook_finallabel", "managed": False, "default_permissions": ()},
        ),
    ]
