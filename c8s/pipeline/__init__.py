"""What a pipeline file may say: text or document → checked `Pipeline`, with every problem at its place."""

from c8s.pipeline.canonical import to_document
from c8s.pipeline.model import Pipeline
from c8s.pipeline.parse import ParseResult, parse_document, parse_pipeline
from c8s.pipeline.problems import Problem, render_json, render_text

__all__ = [
    "ParseResult",
    "Pipeline",
    "Problem",
    "parse_document",
    "parse_pipeline",
    "render_json",
    "render_text",
    "to_document",
]
