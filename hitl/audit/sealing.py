"""Sealing: what was appended becomes leaves of a tree whose root is signed and copied out of the database.

Nothing serialises the transactions that append. A round takes what has been committed since; an event that commits late
is found by a later round, since none looks past the oldest transaction that still ran.
"""

from contextlib import suppress

from django.db import connection, transaction

from hitl.audit import copies, keys, notes

BATCH = 50_000


def seal() -> int:
    """Seal all that is committed; returns how many events. One at a time: a second one finds nothing to do.

    copies.Disagrees, and nothing is signed, if the database is not the log that the copy has followed; OSError, after
    sealing, if the copy cannot be written: a later round brings it up to date.
    """
    copied = False
    with suppress(OSError):
        copies.bring_up_to_date()
        copied = True
    sealed = 0
    while batch := _batch():
        sealed += batch
        if batch < BATCH:
            break
    if sealed or not copied:
        copies.bring_up_to_date()
    return sealed


@transaction.atomic
def _batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select added, size, root, origin from audit_seal(%s)", [BATCH])
        added, size, root, origin = cursor.fetchone()
        if added:
            note = notes.sign(notes.Note(origin, size, bytes(root)), keys.signing_key())
            cursor.execute("select audit_checkpoint_append(%s)", [note])
    return added or 0


@transaction.atomic
def make_partitions() -> int:
    """Have a partition for each of the coming months; returns how many were made."""
    with connection.cursor() as cursor:
        cursor.execute("select audit_partitions(%s)", [3])
        return int(cursor.fetchone()[0])
