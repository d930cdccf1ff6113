"""The learner's copies of the notebooks, in `my_course/`, and how an update of the course reaches them.

`notebook` reads notebooks and knows what a learner changed in a copy, `making` makes and replaces copies, `refreshing`
brings answers into a newer notebook, and `moving` brings along the parts of an earlier edition. Nothing of
the learner's is ever lost: whatever is replaced is first kept in `my_course/former/`, unless it is the course's own.
"""
