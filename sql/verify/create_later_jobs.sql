-- Jobs of tasks that were imported after the last run ended: what stands of them cannot know these tasks yet.
create or replace temp table later_jobs as
select distinct
    application_urn,
    external_job_posting_id
from job_tasks
where imported_at > $ended_at::timestamptz
