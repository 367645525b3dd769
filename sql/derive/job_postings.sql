-- Bring job_postings up to the moment; rows that say the same stay untouched.
merge into job_postings
using (
    select * from current_postings
    except
    select * from job_postings
) as current
    on
        job_postings.application_urn = current.application_urn
        and job_postings.external_job_posting_id = current.external_job_posting_id
when matched then
    update
        set
            title = current.title,
            customer = current.customer,
            account_manager = current.account_manager,
            last_operation = current.last_operation,
            last_operation_at = current.last_operation_at,
            last_task_urn = current.last_task_urn,
            last_task_status = current.last_task_status,
            expected_listing = current.expected_listing,
            expected_since = current.expected_since,
            listing_status = current.listing_status,
            listing_message = current.listing_message,
            listing_as_of = current.listing_as_of,
            apply_status = current.apply_status,
            promotion_status = current.promotion_status,
            job_posting_urn = current.job_posting_urn,
            job_posting_url = current.job_posting_url
when not matched then insert (
    application_urn,
    external_job_posting_id,
    title,
    customer,
    account_manager,
    last_operation,
    last_operation_at,
    last_task_urn,
    last_task_status,
    expected_listing,
    expected_since,
    listing_status,
    listing_message,
    listing_as_of,
    apply_status,
    promotion_status,
    job_posting_urn,
    job_posting_url
) values (
    current.application_urn,
    current.external_job_posting_id,
    current.title,
    current.customer,
    current.account_manager,
    current.last_operation,
    current.last_operation_at,
    current.last_task_urn,
    current.last_task_status,
    current.expected_listing,
    current.expected_since,
    current.listing_status,
    current.listing_message,
    current.listing_as_of,
    current.apply_status,
    current.promotion_status,
    current.job_posting_urn,
    current.job_posting_url
)
