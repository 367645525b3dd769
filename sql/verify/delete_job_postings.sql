-- Delete all job postings; they are derived again in the same transaction.
delete from job_postings
