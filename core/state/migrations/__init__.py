"""The Alembic scripts: a branch a subject of tables.py, a named revision a change of its tables.

To change a table: change it in tables.py, add `versions/BRANCH_NNNN_what_it_does.py` with `revision = "BRANCH_NNNN"`
and the one before as `down_revision`, and name it as the subject's `head`. A revision that people have is never edited.
"""
