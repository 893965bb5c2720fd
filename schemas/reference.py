"""The reference page of the pipeline file: every field, and every rule with what is said of an example."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

_TYPE_WORDS = {"boolean": "true or false", "integer": "whole number", "object": "mapping", "array": "list"}

_HEAD = """\
# The pipeline file

<!-- Written by `python -m schemas.generate` from schemas/pipeline.schema.json and tests/pipeline/cases. -->

`.c8s.yaml` at the root of a repository, or several files under `.c8s/`; one file is one pipeline.
`c8s validate` checks it. For completion in an editor, give its YAML language server
`schemas/pipeline.schema.json`.

## Meaning

A step without `dependsOn` starts at once; the order of the list means nothing. A step that failed stops
what depends on it, and nothing else: other branches go on. With `onSuccess: false` a step runs whatever
became of what it depends on. A step whose `conditional` does not hold is skipped, and what depends on it
runs. Whatever waits, is skipped or fails says so with [a reason](reasons.md) and a sentence.

**Instances.** The pipeline's `matrix` repeats every step, a step's own `matrix` and `parallelism` repeat
that step. Each of these is a step instance: a pod with its own log and result. `dependsOn` means the same
combination of the pipeline's matrix, and there all combinations and shards of the other step. `failFast`
stops the other combinations at the first failure, the failed one goes on; a step that may fail or is tried
again stops nobody.

**Attempts.** `retry` is for tests that fail now and then: so many more attempts, with `exitCodes` for these
only. Each attempt begins anew, with a log of its own (`unit.2`) and `C8S_ATTEMPT`; the last one counts. A
lost node, an evicted pod or a registry that fails is no failure of yours: such an attempt is made again up
to three times, and `retry` keeps its count. What must never begin twice, a deployment, says `idempotent:
false`.

**Services** start before the step and in their order, each once the port of the one before takes
connections. The step reaches them on localhost. They end with the step; one that ends before the step
begins fails it, with the reason `ServiceFailed`.

**Files and outputs.** What `artifacts` names is in the workspace of every step that depends on this one,
directly or not. `outputs` are small texts: of up to 16 KiB for expressions and conditions, of any size as
files `/c8s/outputs/STEP/NAME`. A step that uses an output that was never written can't start.

**Approvals.** A step with `approval` has no pod. Its time begins when all that it depends on has ended;
meanwhile, if nothing else goes on, the run's `timeout` stands still. One refusal fails it. An approval is
for one commit; nobody counts twice.

**`finally`** runs once for the run, when all other steps have ended: also after a failure, a cancel or the
time limit, but not where the run was cancelled before anything had started. `C8S_RUN_STATUS` says how the
run goes: Succeeded, Failed or Cancelled. A cancel does not stop these steps; they have 10 minutes each if
they don't say otherwise, and half an hour in all. One that fails fails the run.

## Variables

What a step sees in its environment, whatever its `env` says.

| variable | value |
|---|---|
| `CI`, `C8S` | `true` |
| `COMMIT_SHA` | the commit, 40 hex digits |
| `BRANCH`, `TAG` | the run's; empty where it has none |
| `PULL_REQUEST_NUMBER`, `PULL_REQUEST_BASE` | of a pull request: its number, the branch it is for |
| `C8S_EVENT` | `push`, `pullRequest`, `tag`, `manual`, `api` or `schedule` |
| `C8S_REPOSITORY` | the address of the repository |
| `C8S_PIPELINE`, `C8S_RUN`, `C8S_STEP` | names of the pipeline, the run, the step instance |
| `C8S_RUN_URL` | the run's page in the dashboard, where the cluster has an address for it |
| `C8S_WORKSPACE` | the folder with the commit, in which the commands start |
| `C8S_OUTPUT` | the file that takes the step's outputs |
| `MATRIX_<DIMENSION>` | the value of each dimension: `MATRIX_NODE_VERSION` for `node-version` |
| `PARAM_<PARAMETER>` | the value of each parameter, named likewise |
| `C8S_SHARD`, `C8S_SHARDS` | with `parallelism`: which shard it is, from 0, and how many there are |
| `C8S_ATTEMPT` | where there may be or were several: which attempt it is, from 1 |
| `C8S_RUN_STATUS` | under `finally`: `Succeeded`, `Failed` or `Cancelled` |

`HOME` is a folder of the step's own, unless `env` says otherwise.

## Fields

A field marked * must be there.
"""

_RULES = """
## Rules

Every problem names its rule. Each is shown with a file that breaks it and with what `c8s validate` says.
"""


def render_reference(schema: Schema, cases: Path, checks: Path) -> str:
    """Return the page.

    `cases` holds a file `<rule>.yaml` and its output `<rule>.txt` for each rule; `checks`, for most rules, a
    module whose docstring says what the rule is about.
    """
    fields = "".join(
        _render_field(path, field, must) for path, field, must in _walk(schema, "", schema["$defs"])
    )
    rules = "".join(_render_rule(path, checks) for path in sorted(cases.glob("*.yaml")))
    return f"{_HEAD}\n{fields}{_RULES}{rules}"


def _walk(schema: Schema, path: str, definitions: Schema) -> Iterator[tuple[str, Schema, bool]]:
    """Yield path, schema and whether it must be there, for every named field under `schema`."""
    for name, field in schema.get("properties", {}).items():
        resolved = _resolve(field, definitions)
        place = f"{path}.{name}" if path else name
        yield place, resolved, name in schema.get("required", ())
        yield from _walk(resolved, place, definitions)
    if "items" in schema:
        yield from _walk(_resolve(schema["items"], definitions), f"{path}[]", definitions)


def _resolve(schema: Schema, definitions: Schema) -> Schema:
    reference = schema.get("$ref", "").removeprefix("#/$defs/")
    return {**definitions[reference], **schema} if reference else schema


def _render_field(path: str, field: Schema, must: bool) -> str:
    return f"### `{path}`{' *' if must else ''}\n\n{field['description']}\n\n{_render_facts(field)}\n"


def _render_facts(field: Schema) -> str:
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    words = "text" if "string" in types else " or ".join(_TYPE_WORDS[name] for name in types)
    facts = [words]
    if "enum" in field:
        facts.append(f"one of `{'`, `'.join(map(_show, field['enum']))}`")
    if "default" in field:
        facts.append(f"default `{_show(field['default'])}`")
    facts += [f"for example `{_show(example)}`" for example in field.get("examples", ())[:1]]
    return f"{'; '.join(facts)}.\n"


def _show(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _render_rule(path: Path, checks: Path) -> str:
    about = _read_docstring(checks / f"{path.stem.replace('-', '_')}.py")
    shown = path.read_text("utf-8", errors="replace")
    said = path.with_suffix(".txt").read_text("utf-8")
    return f"\n### `{path.stem}`\n\n{about}```yaml\n{shown}```\n\n```text\n{said}```\n"


def _read_docstring(module: Path) -> str:
    """Return the docstring of `module` as a paragraph, or nothing where there is no such file."""
    if not module.exists():
        return ""
    return f"{ast.get_docstring(ast.parse(module.read_text('utf-8')))}\n\n"
