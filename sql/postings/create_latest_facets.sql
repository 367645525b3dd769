-- What LinkedIn last said of each job's listing, LinkedIn Apply and promotion as of this moment. One row per job and facet: the
-- newest statement, and the row of statements that it ends, which all give the same status: when it began, when each of it was
-- made, and what was said before. Runs after create_statements.
create or replace temp table latest_facets as
with spread as (
    select
        application_urn,
        external_job_posting_id,
        source,
        first_made_at,
        made_at,
        sequence,
        unnest([
            struct_pack(
                facet := 'LISTING',
                status := listing_status,
                code := code,
                error_code := listing_error_code,
                error_type := listing_error_type,
                message := listing_message
            ),
            struct_pack(
                facet := 'APPLY',
                status := apply_status,
                code := null::varchar,
                error_code := apply_error_code,
                error_type := apply_error_type,
                message := apply_message
            ),
            struct_pack(
                facet := 'PROMOTION',
                status := promotion_status,
                code := null::varchar,
                error_code := promotion_error_code,
                error_type := promotion_error_type,
                message := promotion_message
            )
        ]) as said
    from statements
),

facets as (
    select
        application_urn,
        external_job_posting_id,
        said.facet,
        said.status,
        said,
        source,
        first_made_at,
        made_at,
        sequence
    from spread
    where said.status is not null
),

-- Jobs with several statements. Of any other its one statement is the newest: to find that by sorting takes ten times as long.
repeated as (
    select
        application_urn,
        external_job_posting_id
    from statements
    group by application_urn, external_job_posting_id
    having count(*) > 1
),

several as (
    select facets.*
    from facets
    semi join repeated using (application_urn, external_job_posting_id)
),

-- What was said differently; where all statements are alike there is nothing to compare.
varied as (
    select
        application_urn,
        external_job_posting_id,
        facet
    from several
    group by application_urn, external_job_posting_id, facet
    having min(status) != max(status)
),

compared as (
    select
        *,
        first_value(status) over (
            partition by application_urn, external_job_posting_id, facet order by sequence desc
        ) as latest_status
    from several
    semi join varied using (application_urn, external_job_posting_id, facet)
),

counted as (
    select
        *,
        -- Of the row that the newest statement ends, none.
        count(*) filter (where status != latest_status) over (
            partition by application_urn, external_job_posting_id, facet
            order by sequence desc
            rows unbounded preceding
        ) as newer_other_count
    from compared
    union all by name
    select
        *,
        0 as newer_other_count
    from several
    anti join varied using (application_urn, external_job_posting_id, facet)
),

newest as (
    select
        application_urn,
        external_job_posting_id,
        facet,
        arg_max(struct_pack(said, source, made_at), sequence) as latest,
        arg_min(first_made_at, sequence) filter (where newer_other_count = 0) as began_at,
        list(first_made_at) filter (where newer_other_count = 0)
        || list(made_at) filter (where newer_other_count = 0) as said_at,
        arg_max(status, sequence) filter (where newer_other_count > 0) as previous_status
    from counted
    group by application_urn, external_job_posting_id, facet
    union all
    select
        application_urn,
        external_job_posting_id,
        facet,
        struct_pack(said, source, made_at) as latest,
        first_made_at as began_at,
        [first_made_at, made_at] as said_at,
        null as previous_status
    from facets
    anti join repeated using (application_urn, external_job_posting_id)
)

select
    application_urn,
    external_job_posting_id,
    facet,
    latest.said.status,
    latest.said.code,
    latest.said.error_code,
    latest.said.error_type,
    latest.said.message,
    latest.source,
    latest.made_at,
    began_at,
    said_at,
    previous_status
from newest
