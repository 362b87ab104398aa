"""Statements become findings, and findings a report."""

from reports.findings.model import Finding
from reports.report import Report, build

__all__ = ["Finding", "Report", "build"]
