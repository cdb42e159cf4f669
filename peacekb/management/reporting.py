"""What commands that bring files in say at their end."""

from django.core.management.base import BaseCommand

from peacekb.archive import Report


def write_report(command: BaseCommand, report: Report) -> None:
    """Write what was left alone and refused line by line, and one line of counts."""
    for line in report.kept:
        command.stdout.write(line)
    for refusal in report.refused:
        command.stderr.write(command.style.ERROR(str(refusal)))
    counts = (
        ("created", report.created),
        ("updated", report.updated),
        ("unchanged", report.unchanged),
        ("left alone", report.kept),
        ("refused", report.refused),
    )
    command.stdout.write(", ".join(f"{len(rows):,} {name}" for name, rows in counts) + ".")
