-- Bring job_postings up to the moment, slice by slice; rows that say the same stay untouched.
merge into job_postings
using current_postings as current
    on
        job_postings.application_urn = current.application_urn
        and job_postings.external_job_posting_id = current.external_job_posting_id
when
matched
and (
    job_postings.title is distinct from current.title
    or job_postings.customer is distinct from current.customer
    or job_postings.account_manager is distinct from current.account_manager
    or job_postings.last_operation is distinct from current.last_operation
    or job_postings.last_operation_at is distinct from current.last_operation_at
    or job_postings.last_task_urn is distinct from current.last_task_urn
    or job_postings.last_task_status is distinct from current.last_task_status
    or job_postings.expected_listing is distinct from current.expected_listing
    or job_postings.expected_since is distinct from current.expected_since
    or job_postings.listing_status is distinct from current.listing_status
    or job_postings.listing_message is distinct from current.listing_message
    or job_postings.listing_as_of is distinct from current.listing_as_of
    or job_postings.apply_status is distinct from current.apply_status
    or job_postings.promotion_status is distinct from current.promotion_status
    or job_postings.job_posting_urn is distinct from current.job_posting_urn
    or job_postings.job_posting_url is distinct from current.job_posting_url
)
then
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
