"""Stage files: the result of one stage, which the next one reads, as JSON with a header.

    {"kind": "tickets", "schema_version": 1, "run_id": "…", "generated_at": "…Z", "generator": "…", "data": …}

    catalog       data: {"entries": [{category, name, sla: {value, unit}, description, keywords, examples}]}
    tickets       data: [{id, short_description, …, extra}]
    attributions  bill: {usage: {calls, retries, tokens_in, …}, cost, seconds}
                  data: [{ticket: …, attribution: {request_category, request_type, sla, source, confidence,
                  evidence, alternatives}}], or `unattributed: {reason, detail}` instead of `attribution`, and perhaps
                  `decision: {request_category, request_type, is_confirmation, at, effect}` of a person
    corrections   data: [{run_id, place, ticket_id, …, reviewer, imported_by, at}], all corrections of the run
    applied       data: {changes: [{number, run_id, ticket_id, mode, before, after, state, …}], skipped: [{place,
                  ticket_id, reason}]}, all changes of the run

Attributions may also be JSON Lines (`lines`) or Parquet (`parquet`), for any number of tickets.

A new field with a default does not change `schema_version`; any other change increases it.
"""

from .applied import read_applied, write_applied
from .attributions import (
    AttributionsFile,
    AttributionStream,
    is_stream,
    is_stream_file,
    open_attributions,
    read_attributions,
    write_attributions,
    write_merged,
    write_stream,
)
from .catalog_and_tickets import parse_catalog_file, read_catalog, read_tickets, write_catalog, write_tickets
from .corrections import write_corrections
from .header import Kind, kind_of_content, stage_kind
from .run_files import FetchedRun, attributed_run, read_fetched, read_reported
from .work_folder import WorkFolder

__all__ = [
    "AttributionStream",
    "AttributionsFile",
    "FetchedRun",
    "Kind",
    "WorkFolder",
    "attributed_run",
    "is_stream",
    "is_stream_file",
    "kind_of_content",
    "open_attributions",
    "parse_catalog_file",
    "read_applied",
    "read_attributions",
    "read_catalog",
    "read_fetched",
    "read_reported",
    "read_tickets",
    "stage_kind",
    "write_applied",
    "write_attributions",
    "write_catalog",
    "write_corrections",
    "write_merged",
    "write_stream",
    "write_tickets",
]
