"""A text that was revised and one that was withdrawn: what a library has when it is some years old."""

from peacekb import publishing
from peacekb.models import Article


def make() -> None:
    """Add both to the library. Publishes three times."""
    revised = Article.objects.create(title="A revised text", slug="a-revised-text", source="The talks began.")
    publishing.publish(revised)
    revised.source = "The talks began again.\n\n## After the ceasefire\n\nThe mediator stayed."
    revised.save()
    publishing.publish(revised, note="What came after")
    withdrawn = Article.objects.create(title="A withdrawn text", slug="a-withdrawn-text", source="A mistake.")
    publishing.publish(withdrawn)
    publishing.withdraw(withdrawn, reason="It was a mistake.")
