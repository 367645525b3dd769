-- A field of a notification's body or a check's record as text: from the top level or from jobPostingInfo, whichever has it.
create or replace temp macro stated(payload, path) as list_any_value(
    json_extract_string(payload, ['$.' || path, '$.jobPostingInfo.' || path])
)
