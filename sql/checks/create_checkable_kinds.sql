-- Findings that a check by jobPostingStatus can confirm or refute. One row per kind and facet.
create or replace temp table checkable_kinds as
with checkable (kind, facet) as (
    values
    ('UNLISTED', 'LISTING'),
    ('STILL_LISTED', 'LISTING'),
    ('UNCONFIRMED', 'LISTING'),
    ('EXPIRING', 'LISTING'),
    ('STUCK', 'LISTING'),
    ('STUCK', 'APPLY'),
    ('APPLY_DISABLED', 'APPLY'),
    ('PROMOTION_LOST', 'PROMOTION')
)

select * from checkable
