"""The project that ``new`` writes: an adapter without any method body, its harness and its tests."""

from authx_contract.views.template.order import ORDER, Kind
from authx_contract.views.template.project import Project

__all__ = ["ORDER", "Kind", "Project"]
