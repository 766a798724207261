"""The project that ``new`` writes: an adapter whose every method is still to be written, and what verifies it."""

from authx_contract.views.template.order import ORDER, Kind
from authx_contract.views.template.project import Project

__all__ = ["ORDER", "Kind", "Project"]
