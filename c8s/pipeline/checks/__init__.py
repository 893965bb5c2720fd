"""What a document must keep to beyond its shape: one file per rule, whose name is the rule's.

A check is a function from a `Source` of any shape to findings. A new rule is a file, named in `CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from c8s.pipeline.checks import (
    approval_out_of_reach,
    approval_with_work,
    bad_condition,
    bad_dimension_name,
    bad_duration,
    bad_environment_name,
    bad_expression,
    bad_glob,
    bad_image_reference,
    bad_name,
    bad_output_name,
    bad_parameter,
    bad_quantity,
    bad_schedule,
    bad_secret_reference,
    cycle,
    dimension_name_clash,
    duplicate_dependency,
    duplicate_environment_name,
    duplicate_secret_file,
    duplicate_service,
    duplicate_step,
    duplicate_value,
    finally_dependency,
    incomplete_include,
    matrix_empty,
    matrix_too_large,
    misplaced_expression,
    missing_key,
    null_character,
    reserved_environment_name,
    retry_not_idempotent,
    secret_needs_target,
    self_dependency,
    step_timeout_over_run_timeout,
    stranger_text_in_command,
    too_many_steps,
    unknown_dimension,
    unknown_expression,
    unknown_output,
    unknown_step,
    unsafe_path,
    unsafe_secret_file,
    unused_matrix_dimension,
    useless_exclude,
)
from c8s.pipeline.problems import Finding
from c8s.pipeline.source import Source

Check = Callable[[Source], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    bad_name.check,
    duplicate_step.check,
    unknown_step.check,
    self_dependency.check,
    duplicate_dependency.check,
    cycle.check,
    bad_duration.check,
    step_timeout_over_run_timeout.check,
    bad_quantity.check,
    bad_glob.check,
    bad_image_reference.check,
    bad_expression.check,
    unknown_expression.check,
    misplaced_expression.check,
    null_character.check,
    stranger_text_in_command.check,
    bad_environment_name.check,
    reserved_environment_name.check,
    duplicate_environment_name.check,
    bad_secret_reference.check,
    secret_needs_target.check,
    unsafe_secret_file.check,
    duplicate_secret_file.check,
    bad_dimension_name.check,
    dimension_name_clash.check,
    duplicate_value.check,
    unknown_dimension.check,
    incomplete_include.check,
    useless_exclude.check,
    matrix_empty.check,
    matrix_too_large.check,
    too_many_steps.check,
    unused_matrix_dimension.check,
    missing_key.check,
    approval_with_work.check,
    approval_out_of_reach.check,
    finally_dependency.check,
    bad_condition.check,
    unknown_output.check,
    bad_output_name.check,
    bad_parameter.check,
    bad_schedule.check,
    unsafe_path.check,
    duplicate_service.check,
    retry_not_idempotent.check,
)


def name_rule(check: Check) -> str:
    """Return the rule that `check` speaks for: the name of its file, with dashes."""
    return check.__module__.rpartition(".")[2].replace("_", "-")
