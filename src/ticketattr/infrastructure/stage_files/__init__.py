"""Stage files: what one stage leaves for the next, as JSON with a header.

    {"kind": "tickets", "schema_version": 1, "run_id": "…", "generated_at": "…Z", "generator": "…", "data": …}

    catalog       data: {"entries": [{category, name, sla: {value, unit}, description, keywords, examples}]}
    tickets       data: [{id, short_description, …, extra}]
    attributions  bill: {usage: {calls, retries, tokens_in, …}, cost, seconds}
                  data: [{ticket: …, attribution: {request_category, request_type, sla, source, confidence,
                  evidence, alternatives}}], or with `unattributed: {reason, detail}` in its place
    corrections   data: [{run_id, place, ticket_id, …, reviewer, imported_by, at}], all of the run

New fields with a default keep `schema_version`; any other change raises it.
"""

from .attributions import read_attributions, write_attributions
from .corrections import write_corrections
from .fetched import read_catalog, read_tickets, write_catalog, write_tickets
from .header import Kind
from .of_one_run import FetchedRun, read_catalog_of, read_fetched, read_reported
from .work_folder import WorkFolder

__all__ = [
    "FetchedRun",
    "Kind",
    "WorkFolder",
    "read_attributions",
    "read_catalog",
    "read_catalog_of",
    "read_fetched",
    "read_reported",
    "read_tickets",
    "write_attributions",
    "write_catalog",
    "write_corrections",
    "write_tickets",
]
