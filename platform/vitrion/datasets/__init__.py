"""Public data sets: source, sha256, licence, citation and loader of each."""

from vitrion.datasets.conventions import einstein_factor
from vitrion.datasets.fetching import fetch
from vitrion.datasets.quickstart import Compound, quickstart_compounds, quickstart_crystals
from vitrion.datasets.records import CompositionRecord, CurveRecord, DatasetContent, DatasetLabel, DatasetStructure
from vitrion.datasets.registry import specification, specifications
from vitrion.datasets.specification import DatasetSpecification, SourceFile

__all__ = [
    "CompositionRecord",
    "Compound",
    "CurveRecord",
    "DatasetContent",
    "DatasetLabel",
    "DatasetSpecification",
    "DatasetStructure",
    "SourceFile",
    "einstein_factor",
    "fetch",
    "quickstart_compounds",
    "quickstart_crystals",
    "specification",
    "specifications",
]
