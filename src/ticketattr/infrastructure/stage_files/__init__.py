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
