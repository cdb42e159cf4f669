"""The text pipeline: an author's Markdown in, numbered sections with safe HTML and mentions out.

Pure Python: nothing in this room knows Django or a database.
"""
