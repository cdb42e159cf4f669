"""A page as a document: everything that an editor wrote about it, in one dictionary.

The same document is the content of a revision, the front matter and body of an exported file, and what an import or
the starter library brings. `form` says what may stand in it, `reading` gives it from the rows, `writing` puts it into
them. Sections, mentions and the index are not part of it: `peacekb.publishing` derives them.
"""

from .form import (
    KEYS,
    NAMED_KINDS,
    Document,
    DocumentRefused,
    check,
    references_in,
    shown,
    storable,
    tag_problem,
    with_references,
)
from .reading import document_of, documents_of, normal, same, specific
from .writing import filled, write, write_facts, write_new_facts, write_new_references, write_references

__all__ = [
    "KEYS",
    "NAMED_KINDS",
    "Document",
    "DocumentRefused",
    "check",
    "document_of",
    "documents_of",
    "filled",
    "normal",
    "references_in",
    "same",
    "shown",
    "specific",
    "storable",
    "tag_problem",
    "with_references",
    "write",
    "write_facts",
    "write_new_facts",
    "write_new_references",
    "write_references",
]
